// The chosen theme, before anything is painted: a classic script, because modules run too late for that.
// lib/theme.js changes the choice. Without one the system's preference holds (css/base.css).
(function () {
  try {
    var theme = localStorage.getItem("aragora.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (error) { /* storage is off: the system's preference holds */ }
})();
