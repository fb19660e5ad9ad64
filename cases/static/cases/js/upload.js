// Many metaphase files at once: each its own request, its own progress, its own sentence when it is refused.
// Three at a time; one refused file never stops the others.

const AT_ONCE = 3;
const zone = document.querySelector("#upload");
const input = zone.querySelector("#upload-files");
const list = zone.querySelector("#uploads");
const summary = zone.querySelector("#upload-summary");
const culture = zone.querySelector("#upload-culture");
const maxBytes = Number(zone.dataset.maxBytes);

const uploads = []; // {file, culture, state: waiting|sending|added|known|refused, row…}
let announced = "";

export function inWords(counts) {
  const parts = [];
  if (counts.added) parts.push(`${counts.added} added`);
  if (counts.known) parts.push(`${counts.known} already here`);
  if (counts.refused) parts.push(`${counts.refused} refused`);
  if (counts.left) parts.push(`${counts.left} to go`);
  return parts.join(", ");
}

function token() {
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return cookie ? decodeURIComponent(cookie.slice("csrftoken=".length)) : "";
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function addRow(upload) {
  const row = element("li", "waiting");
  const name = element("span", "file", upload.file.name);
  name.title = upload.file.name;
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", `Upload of ${upload.file.name}`);
  const outcome = element("span", "outcome", "waiting");
  row.append(name, bar, outcome);
  list.append(row);
  Object.assign(upload, { row, bar, outcome });
}

function settle(upload, state, words, why = "") {
  upload.state = state;
  upload.row.className = state;
  upload.bar.value = state === "refused" ? 0 : 1;
  upload.bar.hidden = state === "refused";
  upload.outcome.replaceChildren(element("span", "", words));
  upload.row.querySelector(".why")?.remove();
  if (state === "refused") {
    const again = element("button", "btn btn-quiet btn-small", "Try again");
    again.type = "button";
    again.setAttribute("aria-label", `Try again: ${upload.file.name}`);
    again.addEventListener("click", () => retry(upload));
    upload.outcome.append(again);
    upload.row.append(element("span", "why", why));
  }
  tell();
  if (state === "added") document.body.dispatchEvent(new CustomEvent("cells-changed"));
}

function retry(upload) {
  upload.state = "waiting";
  upload.row.className = "waiting";
  upload.row.querySelector(".why")?.remove();
  upload.bar.hidden = false;
  upload.bar.value = 0;
  upload.outcome.textContent = "waiting";
  next();
}

function tell() {
  const counts = { added: 0, known: 0, refused: 0, left: 0 };
  for (const upload of uploads) {
    if (upload.state === "added") counts.added += upload.pages;
    else if (upload.state === "known") counts.known += 1;
    else if (upload.state === "refused") counts.refused += 1;
    else counts.left += 1;
  }
  const words = inWords(counts);
  summary.hidden = words === "";
  if (words !== announced) summary.textContent = announced = words;
}

function next() {
  const sending = uploads.filter((upload) => upload.state === "sending").length;
  for (const upload of uploads.filter((one) => one.state === "waiting").slice(0, AT_ONCE - sending)) send(upload);
  tell();
}

function refusal(request) {
  let said = "";
  try {
    const problem = JSON.parse(request.responseText);
    said = problem.errors?.file?.[0] ?? problem.errors?.culture?.[0] ?? problem.detail ?? "";
  } catch {
    /* not from the program: a proxy's page, or nothing at all */
  }
  if (said) return said;
  if (request.status === 413) return "This file is larger than the server takes. It was not kept; other files go on.";
  if (request.status === 401) return "You are not signed in any more. Sign in again, then try again.";
  return `The server did not take this file (${request.status}). It was not kept. Try again.`;
}

function send(upload) {
  upload.state = "sending";
  upload.row.className = "sending";
  if (upload.file.size > maxBytes) {
    const limit = Math.floor(maxBytes / 2 ** 20);
    settle(upload, "refused", "refused", `This file is larger than ${limit} MB, the most that is taken. It was not sent.`);
    return next();
  }
  const body = new FormData();
  body.append("file", upload.file);
  if (upload.culture) body.append("culture", upload.culture);
  const request = new XMLHttpRequest(); // not fetch: only this reports how much was sent
  request.open("POST", zone.dataset.url);
  request.setRequestHeader("X-CSRFToken", token());
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    upload.bar.value = event.loaded / event.total;
    upload.outcome.textContent = event.loaded < event.total ? `${Math.floor((100 * event.loaded) / event.total)} %` : "checking";
  });
  request.addEventListener("load", () => {
    if (request.status === 200 || request.status === 202) {
      const answer = JSON.parse(request.responseText);
      upload.pages = answer.metaphases.length;
      const cells = answer.metaphases.map((cell) => cell.ordinal);
      if (!cells.length) settle(upload, "known", `already here: cell ${answer.duplicates.map((cell) => cell.ordinal).join(", ")}`);
      else settle(upload, "added", cells.length === 1 ? `cell ${cells[0]}` : `cells ${cells[0]}–${cells.at(-1)}`);
    } else settle(upload, "refused", "refused", refusal(request));
    next();
  });
  const cut = () => {
    settle(upload, "refused", "cut off", "The connection broke before the file had arrived. Nothing was kept. Try again.");
    next();
  };
  request.addEventListener("error", cut);
  request.addEventListener("abort", cut);
  request.send(body);
}

function take(files) {
  for (const file of files) {
    const upload = { file, culture: culture?.value ?? "", state: "waiting", pages: 0 };
    uploads.push(upload);
    addRow(upload);
  }
  list.hidden = uploads.length === 0;
  next();
}

/** The files of a drop; a dropped folder cannot be sent and has no bytes to read. */
function dropped(transfer) {
  const items = [...(transfer.items ?? [])].filter((item) => item.kind === "file");
  if (!items.length) return [...transfer.files];
  return items.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory).map((item) => item.getAsFile()).filter(Boolean);
}

zone.querySelector("#upload-choose").addEventListener("click", () => input.click());
input.addEventListener("change", () => {
  take([...input.files]);
  input.value = ""; // so that the same file can be chosen again
});

// The whole page takes a drop: a file let go beside the zone must not replace the page.
let depth = 0;
const withFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
addEventListener("dragenter", (event) => {
  if (!withFiles(event)) return;
  depth += 1;
  zone.classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!withFiles(event)) return;
  depth = Math.max(0, depth - 1);
  if (!depth) zone.classList.remove("over");
});
addEventListener("dragover", (event) => withFiles(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!withFiles(event)) return;
  event.preventDefault();
  depth = 0;
  zone.classList.remove("over");
  take(dropped(event.dataTransfer));
});

// What is on its way is lost when the page goes; what has arrived is safe.
addEventListener("beforeunload", (event) => {
  if (uploads.some((upload) => upload.state === "sending" || upload.state === "waiting")) event.preventDefault();
});
