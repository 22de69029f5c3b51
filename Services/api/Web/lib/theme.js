// Light, dark, or as the system says. theme.js sets the choice before the first paint; this changes it.
import { h, fill, s } from "./dom.js";

const KEY = "aragora.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";

function choose(theme) {
  const isSystem = theme === (dark.matches ? "dark" : "light");
  if (isSystem) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (isSystem) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch { /* storage is off: the choice lasts as long as this page */ }
}

export function toggle() {
  const button = h("button", { class: "icon-button", type: "button", onclick: () => {
    choose(isDark() ? "light" : "dark");
    draw();
  } });
  const draw = () => {
    button.setAttribute("aria-label", isDark() ? "Use the light theme" : "Use the dark theme");
    fill(button, isDark() ? sun() : moon());
  };
  dark.addEventListener("change", draw);
  draw();
  return button;
}

const icon = (...shapes) => s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, shapes);
const moon = () => icon(s("path", { d: "M20 14.5A8.5 8.5 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500Z" }));
const sun = () => icon(s("circle", { cx: 12, cy: 12, r: 4 }),
  s("path", { d: "M12 2v2.500M12 19.500V22M2 12h2.500M19.500 12H22M5 5l1.700 1.700M17.300 17.300 19 19M5 19l1.700-1.700M17.300 6.700 19 5" }));
