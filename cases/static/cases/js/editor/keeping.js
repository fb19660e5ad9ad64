/* Names for changes that nobody else uses, and a shelf in this browser for what is not saved yet. */

/** A version 4 UUID; randomUUID itself is missing on plain-http pages of a laboratory's network. */
export function clientKey() {
  if (globalThis.crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

/** Keeps a value in localStorage under one name; does without where the browser has none. */
export function browserShelf(name) {
  return {
    read() {
      try {
        return JSON.parse(localStorage.getItem(name));
      } catch {
        return null;
      }
    },
    write(value) {
      try {
        if (value === null) localStorage.removeItem(name);
        else localStorage.setItem(name, JSON.stringify(value));
      } catch {
        // Storage full or forbidden: the change is still sent, it only does not outlive the page.
      }
    },
  };
}
