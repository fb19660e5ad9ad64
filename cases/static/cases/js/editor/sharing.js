/* History, comments, and others at the same cell: hooked together for the cell page. */

import { request } from "./api.js";
import { Comments, CommentsPanel } from "./comments.js";
import { make } from "./dom.js";
import { Live } from "./live.js";
import { Marks } from "./marks.js";
import { Pins } from "./pins.js";
import { Versions } from "./versions.js";

/** Adds history and comments to the drawer and `writeComment` to `page`; → {start()}, to be called once the cell is open. */
export function startSharing({ page, config, store, history, sheet, spread, drawer, say }) {
  const root = config.urls.karyogram;
  const metaphase = root.replace(/karyogram\/$/, "");
  new Marks({ store, roots: [sheet.root, sheet.tray, spread.outlines] });

  const panes = document.querySelector(".panes");
  const bar = make("div", null, { class: "version-bar", id: "version-bar", hidden: true });
  panes.before(bar);
  const versions = new Versions({ store, history, say, root, bar });
  drawer.add({ id: "history", title: "History", key: "H", mount: (element) => versions.mount(element), shown: () => versions.shown(), hidden: () => versions.hidden() });

  const comments = new Comments({ store, say, metaphase });
  const pins = new Pins({
    svg: spread.svg,
    store,
    image: config.image,
    say,
    opened(comment) {
      drawer.open("comments", { focus: false });
      store.set({ pinned: comment.id });
    },
  });
  const panel = new CommentsPanel({ store, comments, pins, drawer, mayComment: config.mayComment !== false });
  drawer.add({ id: "comments", title: "Comments", key: "Shift+C", mount: (element) => panel.mount(element) });
  page.writeComment = () => panel.write();

  const top = make("div", null, { class: "here-now", role: "group", hidden: true });
  document.querySelector(".cell-facts").before(top);
  const live = new Live({
    store,
    history,
    say,
    root,
    top,
    announce: () => request("POST", `${metaphase}presence/`),
    commentsChanged: () => comments.load(),
  });
  return {
    start() {
      live.start();
      void comments.load();
    },
  };
}
