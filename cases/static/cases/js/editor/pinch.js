/* Two fingers on the photograph move and enlarge it, and the mouse's middle button moves it, whatever tool is in hand. */

/** spread: {moveBy(dx, dy), zoomAt(factor, clientX, clientY), pinched}.  begin(): ends what one finger had begun. */
export function makePinch({ svg, spread, begin }) {
  const fingers = new Map();
  let pinching = false;
  const options = { capture: true };

  const stop = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const where = () => {
    const [[x1, y1], [x2, y2]] = [...fingers.values()];
    return { x: (x1 + x2) / 2, y: (y1 + y2) / 2, apart: Math.hypot(x2 - x1, y2 - y1) };
  };

  svg.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button === 1) pushed(event);
      if (event.pointerType !== "touch") return;
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
      if (fingers.size === 1) spread.pinched = false;
      if (fingers.size < 2) return;
      stop(event);
      if (pinching || fingers.size > 2) return;
      pinching = spread.pinched = true;
      for (const finger of fingers.keys()) if (svg.hasPointerCapture(finger)) svg.releasePointerCapture(finger);
      begin();
    },
    options,
  );
  svg.addEventListener(
    "pointermove",
    (event) => {
      if (!fingers.has(event.pointerId)) return;
      if (!pinching) {
        fingers.set(event.pointerId, [event.clientX, event.clientY]);
        return;
      }
      stop(event);
      if (fingers.size !== 2) return;
      const before = where();
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
      const now = where();
      spread.moveBy(now.x - before.x, now.y - before.y);
      if (before.apart > 0) spread.zoomAt(now.apart / before.apart, now.x, now.y);
    },
    options,
  );
  const lifted = (event) => {
    if (!fingers.delete(event.pointerId) || !pinching) return;
    // The finger that stays does not begin a stroke where the pinch ended.
    if (event.type === "pointerup") event.stopImmediatePropagation();
    if (!fingers.size) pinching = false;
  };
  function pushed(down) {
    stop(down);
    let at = down;
    svg.setPointerCapture(down.pointerId);
    const move = (event) => {
      stop(event);
      spread.moveBy(event.clientX - at.clientX, event.clientY - at.clientY);
      at = event;
    };
    svg.addEventListener("pointermove", move, options);
    svg.addEventListener("lostpointercapture", () => svg.removeEventListener("pointermove", move, options), { once: true });
  }
  svg.addEventListener("pointerup", lifted, options);
  svg.addEventListener("pointercancel", lifted, options);
}
