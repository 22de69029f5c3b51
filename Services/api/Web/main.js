// Starts the page: the frame, then the view that the address names.
//
// A view is a module `pages/<name>.js`; see lib/router.js for what it exports. To add one, add a line to `views`.
import { start } from "./lib/router.js";
import { frame } from "./lib/layout.js";

const views = [
  ["/", () => import("./pages/ask.js")],
  ["/debates", () => import("./pages/debates.js")],
  ["/debates/:id", () => import("./pages/debate.js")],
  ["/debates/:id/receipt", () => import("./pages/receipt.js")],
  ["/spectate/:id", () => import("./pages/spectate.js")],
  ["/receipts/:id", () => import("./pages/receipt.js")],
  ["/leaderboard", () => import("./pages/leaderboard.js")],
  ["/leaderboard/:agent", () => import("./pages/leaderboard.js")],
  ["/admin", () => import("./pages/admin.js")],
  ["/admin/:part", () => import("./pages/admin.js")],
  ["/account", () => import("./pages/account.js")],
  ["/account/:part", () => import("./pages/account.js")],
  ["/signin", () => import("./pages/signin.js")],
];

start(views, frame(document.getElementById("app")));
