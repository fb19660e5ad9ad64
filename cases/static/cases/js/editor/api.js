/* The server, as the editor sees it: JSON in, JSON out, and two kinds of failure. */

/** The server answered with a refusal; `message` is its sentence, `body` its problem details. */
export class Refused extends Error {
  constructor(status, body) {
    super(body?.detail || `The server refused this (${status}).`);
    this.status = status;
    this.code = body?.code ?? "";
    this.body = body ?? {};
  }
}

/** No answer, or one that says that the server is in trouble: the same request may be sent again. */
export class Unreachable extends Error {
  constructor(message, waitSeconds = 0) {
    super(message);
    this.waitSeconds = waitSeconds;
  }
}

const TIMEOUT_MS = 20_000;
const KEPT_ALIVE = 30_000;
const IN_TROUBLE = new Set([408, 425, 429, 500, 502, 503, 504]);

// Read anew each time: signing in again in another tab changes the token.
const csrfToken = () => /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";

export async function request(method, url, body) {
  let response;
  const sent = body === undefined ? undefined : JSON.stringify(body);
  try {
    response = await fetch(url, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: {
        Accept: "application/json",
        ...(method === "GET" ? {} : { "X-CSRFToken": csrfToken() }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: sent,
      // A change that is on its way when the page closes still arrives; browsers refuse that for more than 64 KB in all.
      keepalive: method !== "GET" && (sent?.length ?? 0) < KEPT_ALIVE,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new Unreachable(error.message);
  }
  if (IN_TROUBLE.has(response.status))
    throw new Unreachable(`The server answered ${response.status}.`, Number(response.headers.get("Retry-After")) || 0);
  const answer = await readJson(response);
  if (!response.ok) throw new Refused(response.status, answer);
  return { answer, location: response.headers.get("Location") };
}

async function readJson(response) {
  const text = await response.text().catch((error) => {
    throw new Unreachable(error.message);
  });
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page instead of the server's JSON.
    if (response.ok) throw new Unreachable("The answer could not be read.");
    return null;
  }
}

/** The karyogram of one cell; `root` is its address and ends with "/karyogram/". */
export function karyogramApi(root) {
  const post = async (path, body) => (await request("POST", root + path, body)).answer;
  return {
    load: async () => (await request("GET", root)).answer,
    edit: (body) => post("edits/", body),
    undo: (body) => post("undo/", body),
    redo: (body) => post("redo/", body),
    restore: (body) => post("restore/", body),
    // Back to an earlier version; and what others changed after the version `since`.
    version: ({ version, ...body }) => post(`versions/${version}/restore/`, body),
    changes: async (since) => (await request("GET", `${root}changes/?since=${since}`)).answer,
    accept: (body) => post("accept/", body),
    reopen: (body) => post("reopen/", body),
    // Computed on the spot, stored by nobody: an outline for a box, for clicks, or from an outline to better.
    cut: async (body) => (await request("POST", root.replace(/karyogram\/$/, "cut/"), body)).answer,
  };
}
