/* Dragging a chromosome to another place, and turning it by its handle.  Pointer events; every drag has its keys. */

const THRESHOLD_PX = 5;

/** → grab(event, id), to be called on pointerdown.  drop(id, {slot, index}) is told where it was let go. */
export function makeDrag({ store, sheet, drop, say }) {
  return function grab(down, id) {
    const ghost = document.createElement("canvas");
    let started = false;
    let target = null;
    let frame = 0;
    let at = down;

    function start() {
      started = true;
      const source = sheet.canvasOf(id);
      ghost.className = "ghost";
      ghost.width = source.width;
      ghost.height = source.height;
      ghost.style.width = source.style.width;
      ghost.style.height = source.style.height;
      ghost.getContext("2d").drawImage(source, 0, 0);
      document.body.append(ghost);
      document.documentElement.classList.add("dragging");
      sheet.buttonOf(id)?.classList.add("lifted");
    }

    function follow() {
      frame = 0;
      if (!started) return;
      const bounds = ghost.getBoundingClientRect();
      ghost.style.transform = `translate(${at.clientX - bounds.width / 2}px, ${at.clientY - bounds.height / 2}px)`;
      target = sheet.dropAt(at.clientX, at.clientY, id);
      sheet.showDrop(target, id);
    }

    function move(event) {
      if (event.pointerId !== down.pointerId) return;
      at = event;
      if (!started) {
        if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < THRESHOLD_PX) return;
        if (!store.state.editable) {
          end();
          say(store.state.lockedBecause || "This karyogram cannot be changed.", "info");
          return;
        }
        start();
      }
      frame ||= requestAnimationFrame(follow);
    }

    function up(event) {
      if (event.pointerId !== down.pointerId) return;
      at = event;
      if (started) follow();
      const landed = started ? target : null;
      end();
      if (landed) drop(id, landed);
    }

    function cancel(event) {
      if (event.type === "keydown") {
        if (event.key !== "Escape" || !started) return;
        event.preventDefault();
        event.stopImmediatePropagation();
      }
      end();
    }

    function end() {
      cancelAnimationFrame(frame);
      ghost.remove();
      document.documentElement.classList.remove("dragging");
      sheet.buttonOf(id)?.classList.remove("lifted");
      sheet.showDrop(null);
      listeners.abort();
    }

    const listeners = new AbortController();
    const options = { signal: listeners.signal };
    // A touch scrolls or drags, not both; a mouse must not select text on its way.
    if (down.pointerType !== "mouse") down.target.releasePointerCapture?.(down.pointerId);
    down.preventDefault();
    sheet.focus(id);
    addEventListener("pointermove", move, options);
    addEventListener("pointerup", up, options);
    addEventListener("pointercancel", cancel, options);
    addEventListener("blur", cancel, options);
    addEventListener("keydown", cancel, { ...options, capture: true });
  };
}

/** The round handle over the selected chromosome.  turn(id, angle) is told once, when it is let go. */
export function makeTurnHandle({ handle, store, sheet, turn }) {
  function place() {
    const button = sheet.buttonOf(store.state.selected);
    // While cells are counted the sheet is away, and the handle has no place on the page.
    const away = !button?.getClientRects().length;
    const shown = Boolean(!away && store.state.editable && store.selected?.state === "present");
    handle.hidden = !shown;
    if (!shown) return;
    const bounds = button.getBoundingClientRect();
    const around = handle.offsetParent.getBoundingClientRect();
    handle.style.left = `${bounds.left + bounds.width / 2 - around.left}px`;
    const { top } = (button.querySelector(".role-mark") ?? button).getBoundingClientRect(); // “der” stays legible
    handle.style.top = `${top - around.top}px`;
  }
  store.subscribe((state, changed) => {
    // A changed document is drawn first, which says so.
    if (changed.has("selected") || changed.has("editable")) place();
  });
  sheet.root.addEventListener("drawn", place);

  handle.addEventListener("pointerdown", (down) => {
    const { selected: chromosome } = store;
    if (!chromosome || down.button !== 0) return;
    down.preventDefault();
    const canvas = sheet.canvasOf(chromosome.id);
    const bounds = canvas.getBoundingClientRect();
    const [x, y] = [bounds.left + bounds.width / 2, bounds.top + bounds.height / 2];
    const angleAt = (event) => (Math.atan2(event.clientY - y, event.clientX - x) * 180) / Math.PI;
    const from = angleAt(down);
    let turned = 0;
    const listeners = new AbortController();
    const options = { signal: listeners.signal };
    handle.setPointerCapture(down.pointerId);
    handle.classList.add("turning");
    function end() {
      listeners.abort();
      canvas.style.transform = "";
      handle.style.transform = "";
      handle.classList.remove("turning");
    }
    handle.addEventListener(
      "pointermove",
      (event) => {
        turned = angleAt(event) - from;
        if (event.shiftKey) turned = Math.round(turned / 15) * 15;
        canvas.style.transform = `rotate(${turned}deg)`;
      },
      options,
    );
    handle.addEventListener(
      "pointerup",
      () => {
        end();
        // The picture is mirrored after it is turned, so that a flipped one turns the other way round.
        if (Math.abs(turned) >= 1) turn(chromosome.id, chromosome.angle + (chromosome.flip ? -turned : turned));
      },
      options,
    );
    handle.addEventListener("pointercancel", end, options);
    addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopImmediatePropagation();
        end();
      },
      { ...options, capture: true },
    );
  });
}
