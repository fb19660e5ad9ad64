/* Keys.  One table serves the keyboard, the help dialog and docs/editor.md (a test compares them). */

const WAIT_MS = 700;

/* keys: as `keyOf` writes them.  run(commands, page).  anywhere: also without a karyogram. */
export const SHORTCUTS = [
  { group: "Choose", keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], says: "the chromosome beside, above, below" },
  { group: "Choose", keys: ["n"], says: "next doubt", run: (commands) => commands.nextDoubt() },
  { group: "Choose", keys: ["Shift+n"], says: "previous doubt", run: (commands) => commands.previousDoubt() },
  { group: "Choose", keys: [" "], says: "keep it chosen and go on with the arrows: for several at once", run: (commands) => commands.arranging.keepChosen() },
  { group: "Choose", keys: ["Escape"], says: "choose nothing" },
  { group: "Name", keys: ["1 – 22"], says: "move to this class (10: type 1 0; 1 at once: 1 Enter)" },
  { group: "Name", keys: ["x"], says: "move to X", run: (commands) => commands.relabel("X") },
  { group: "Name", keys: ["y"], says: "move to Y", run: (commands) => commands.relabel("Y") },
  { group: "Name", keys: ["u"], says: "unclassified", run: (commands) => commands.relabel("unknown") },
  { group: "Name", keys: ["Enter"], says: "keep a doubtful one as it is" },
  { group: "Name", keys: ["Delete", "Backspace", "d"], says: "debris (type a class to bring it back)", run: (commands) => commands.debris() },
  { group: "Name", keys: ["m"], says: "marker, or no longer", run: (commands) => commands.arranging.marker() },
  { group: "Name", keys: ["Shift+d"], says: "derivative, right of its normal homologue, or no longer", run: (commands) => commands.arranging.derivative() },
  { group: "Name", keys: ["l"], says: "a homologue was lost by preparation: then type its class, Enter for the chosen one's" },
  { group: "Name", keys: ["Shift+l"], says: "take such a loss back, the same way" },
  { group: "Place", keys: ["w"], says: "swap two: both chosen, the chosen and the one pointed at, or the two of a pair", run: (commands) => commands.arranging.swap() },
  { group: "Place", keys: ["Shift+m"], says: "merge the chosen fragments into one", run: (commands) => commands.arranging.merge() },
  { group: "Place", keys: ["Shift+ArrowLeft"], says: "one place to the left", run: (commands) => commands.shift(-1) },
  { group: "Place", keys: ["Shift+ArrowRight"], says: "one place to the right", run: (commands) => commands.shift(1) },
  { group: "Turn", keys: ["t"], says: "upside down", run: (commands) => commands.turnUpsideDown() },
  { group: "Turn", keys: ["r"], says: "a quarter turn clockwise", run: (commands) => commands.turnQuarter() },
  { group: "Turn", keys: ["Shift+r"], says: "a quarter turn back", run: (commands) => commands.turnQuarterBack() },
  { group: "Turn", keys: ["]"], says: "5° clockwise", run: (commands) => commands.turnStep() },
  { group: "Turn", keys: ["["], says: "5° back", run: (commands) => commands.turnStepBack() },
  { group: "Turn", keys: ["f"], says: "flip left and right", run: (commands) => commands.flip() },
  { group: "Photograph", keys: ["v"], says: "choose and move: no tool", run: (_, page) => page.useTool("choose") },
  { group: "Photograph", keys: ["a"], says: "add a chromosome by a box or a click", run: (_, page) => page.useTool("add") },
  { group: "Photograph", keys: ["g"], says: "refine the outline by clicks: this too, not this", run: (_, page) => page.useTool("refine") },
  { group: "Photograph", keys: ["b"], says: "brush: paint onto the outline", run: (_, page) => page.useTool("brush") },
  { group: "Photograph", keys: ["e"], says: "erase: wipe parts of the outline away", run: (_, page) => page.useTool("erase") },
  { group: "Photograph", keys: ["k", "/"], says: "split one into two", run: (_, page) => page.useTool("split") },
  { group: "Turn", keys: ["s"], says: "straightened, or as it lies", run: (commands) => commands.arranging.straighten() },
  { group: "History", keys: ["p"], says: "this chromosome as the machine proposed it", run: (commands) => commands.arranging.restore() },
  { group: "History", keys: ["Shift+p"], says: "the whole cell as the machine proposed it", run: (commands) => commands.arranging.restoreAll() },
  { group: "History", keys: ["z", "Mod+z"], says: "undo", run: (commands) => commands.undo() },
  { group: "History", keys: ["Shift+z", "Mod+Shift+z", "Mod+y"], says: "redo", run: (commands) => commands.redo() },
  { group: "History", keys: ["h"], says: "the history: every step, any version", anywhere: true, run: (_, page) => page.drawer.toggle("history") },
  { group: "Comment", keys: ["c"], says: "comment on the chosen chromosome, or on the cell", anywhere: true, run: (_, page) => page.writeComment() },
  { group: "Comment", keys: ["Shift+c"], says: "the comments, opened or closed", anywhere: true, run: (_, page) => page.drawer.toggle("comments") },
  { group: "Cell", keys: ["Mod+Enter"], says: "accept the cell", run: (commands) => commands.accept() },
  { group: "Cell", keys: ["#", "j"], says: "count chromosomes, cell after cell", anywhere: true, run: (_, page) => page.count() },
  { group: "Cell", keys: [",", "PageUp"], says: "previous cell", anywhere: true, run: (_, page) => page.go("previous") },
  { group: "Cell", keys: [".", "PageDown"], says: "next cell", anywhere: true, run: (_, page) => page.go("next") },
  { group: "View", keys: ["o"], says: "outlines on or off", run: (_, page) => page.toggleOutlines() },
  { group: "View", keys: ["i"], says: "the chosen one enlarged, its homologues and its ideogram", run: (_, page) => page.drawer.toggle("chromosome") },
  { group: "View", keys: ["+", "="], says: "zoom in", run: (_, page) => page.zoom(1.25) },
  { group: "View", keys: ["-"], says: "zoom out", run: (_, page) => page.zoom(0.8) },
  { group: "View", keys: ["0"], says: "the whole photograph", run: (_, page) => page.fit() },
  { group: "View", keys: ["?"], says: "this list", anywhere: true, run: (_, page) => page.help() },
];

const ARROWS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };
const BY_KEY = new Map(SHORTCUTS.filter((one) => one.run).flatMap((one) => one.keys.map((key) => [key, one])));

/** "z", "Shift+z", "Mod+Shift+z", "[", "?": what is printed on the key, whatever the keyboard's layout. */
export function keyOf(event) {
  const letter = /^\p{L}$/u.test(event.key);
  const printed = event.key.length === 1;
  const key = letter ? event.key.toLowerCase() : event.key;
  // On many layouts [ and ] are typed with AltGr, which some systems report as Ctrl+Alt.
  const altGr = event.getModifierState?.("AltGraph") || (event.ctrlKey && event.altKey);
  if (event.altKey && !altGr) return "";
  const mod = (event.ctrlKey || event.metaKey) && !(altGr && printed) ? "Mod+" : "";
  const shift = event.shiftKey && (letter || !printed) ? "Shift+" : "";
  return mod + shift + key;
}

/** Collects the digits of a class.  next(digit) → {label} once it is certain, {wait} while 1 or 2 may go on, {wrong}. */
export class ClassTyping {
  constructor() {
    this.typed = "";
  }

  next(digit) {
    const typed = this.typed + digit;
    const number = Number(typed);
    this.typed = "";
    if (number < 1 || number > 22) return { wrong: typed };
    if (typed.length === 1 && number <= 2) {
      this.typed = typed;
      return { wait: typed };
    }
    return { label: String(number) };
  }

  /** → the label typed so far, or "". */
  finish() {
    const { typed } = this;
    this.typed = "";
    return typed;
  }
}

export function listen({ target, store, commands, page, say }) {
  const typing = new ClassTyping();
  let timer = 0;
  let lost = 0; // 1 after L, -1 after Shift L: the class that is typed next is counted as lost, or no longer

  function name(label) {
    if (lost) commands.arranging.lost(label, lost);
    else commands.relabel(label);
    lost = 0;
  }

  const shown = (digits) => (lost ? `${lost > 0 ? "lost: " : "not lost: "}${digits || "class"}` : digits);

  function finish() {
    clearTimeout(timer);
    const label = typing.finish();
    store.set({ typed: "" });
    if (label) name(label);
    return Boolean(label);
  }

  /* Enter, X or Y as the answer to “which class was lost?”. */
  function lostClass(key) {
    const { selected } = store;
    const own = selected?.state === "present" && selected.label !== "unknown" ? selected.label : "";
    const label = key === "Enter" ? typing.finish() || own : { x: "X", y: "Y" }[key];
    if (!label && key === "Enter") say("Type the class that was lost: 1 to 22, X or Y.", "info");
    const by = lost;
    forget();
    if (label) commands.arranging.lost(label, by);
    return true;
  }

  function digit(key) {
    clearTimeout(timer);
    const { label, wait, wrong } = typing.next(key);
    if (wrong) lost = 0;
    store.set({ typed: wait ? shown(wait) : "" });
    if (wait) timer = setTimeout(finish, WAIT_MS);
    else if (label) name(label);
    else if (wrong !== "0") say(`There is no chromosome ${wrong}.`, "info");
    // A lone 0 is no class: it shows the whole photograph.
    else page.fit();
  }

  function forget() {
    clearTimeout(timer);
    typing.finish();
    lost = 0;
    store.set({ typed: "" });
  }

  function pressed(event) {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const from = event.target instanceof Element ? event.target : document.body;
    if (from.closest("input, textarea, select, [contenteditable]")) return;
    const key = keyOf(event);
    const control = from.closest("a, button:not(.chromosome), summary");
    if (!key || (control && (key === "Enter" || key === " "))) return;
    if (handle(key)) event.preventDefault();
  }

  function handle(key) {
    const ready = Boolean(store.state.document);
    if (ready && /^[0-9]$/.test(key)) {
      if (key === "0" && !typing.typed) page.fit();
      else if (store.selected || typing.typed || lost) digit(key);
      else say("First choose a chromosome.", "info");
      return true;
    }
    if (lost && /^(Enter|x|y)$/.test(key)) return lostClass(key);
    if (key === "Enter") {
      if (ready && !finish()) commands.keep();
      return ready;
    }
    if (key === "Escape") {
      if (typing.typed || lost) forget();
      else commands.choose(null);
      return true;
    }
    if (typing.typed) finish();
    if (lost && !/Shift$/.test(key)) forget(); // another key ends the question
    if (ready && (key === "l" || key === "Shift+l")) {
      lost = key === "l" ? 1 : -1;
      store.set({ typed: shown("") });
      return true;
    }
    if (ready && key in ARROWS) {
      commands.walk(ARROWS[key]);
      return true;
    }
    const shortcut = BY_KEY.get(key);
    if (!shortcut || (!ready && !shortcut.anywhere)) return false;
    shortcut.run(commands, page);
    return true;
  }

  target.addEventListener("keydown", pressed);
}

const SHOWN = { Mod: navigator.platform?.startsWith("Mac") ? "⌘" : "Ctrl", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Delete: "Del", Escape: "Esc", PageUp: "PgUp", PageDown: "PgDn", Backspace: "⌫", " ": "Space" };

/** "Mod+Shift+z" → ["Ctrl", "Shift", "Z"] */
export const keyCaps = (keys) =>
  keys
    .split(/(?<=.)\+(?=.)/)
    .map((key) => SHOWN[key] ?? (key.length === 1 ? key.toUpperCase() : key));
