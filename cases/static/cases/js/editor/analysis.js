/* A cell whose analysis has not ended, or ended badly: what is being done, and what can be done about it. */

import { Refused, Unreachable, request } from "./api.js";

const STAGES = ["load", "quality", "detect", "segment", "orient", "classify", "assign"];
const DOING = {
  load: "reading the photograph",
  quality: "judging the photograph",
  detect: "finding the chromosomes",
  segment: "cutting them out",
  orient: "turning them upright",
  classify: "naming them",
  assign: "arranging the pairs",
};
const LIVE = new Set(["queued", "running"]);
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [700, 4000];

/* urls: {job, analyse, metaphase}.  parts: elements of the panel.  finished(): the karyogram is there. */
export class Analysis {
  constructor({ state, urls, may, parts, finished, hasKaryogram, say }) {
    Object.assign(this, { urls, may, parts, finished, hasKaryogram, say });
    this.now = state; // {state, stage, error}
    this.timer = 0;
    this.wait = FIRST_WAIT_MS;
    this.reload = null; // what the button does instead, while the karyogram could not be loaded
    parts.again.addEventListener("click", () => (this.reload ? this.reload() : this.#analyse()));
    parts.cancel.addEventListener("click", () => this.#cancel());
  }

  start() {
    this.#show();
    if (LIVE.has(this.now.state)) this.#later();
  }

  #later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#ask(), this.wait);
    this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 1.2);
  }

  async #ask() {
    try {
      const { answer } = await request("GET", this.urls.job ?? this.urls.metaphase);
      this.#take(answer);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        this.parts.text.textContent = "You have been signed out. The analysis goes on; sign in again to see it.";
        return;
      }
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      this.#later(); // the analysis does not depend on this page
    }
  }

  #take(answer) {
    this.now = {
      state: answer.state ?? answer.analysis_state,
      stage: answer.stage ?? answer.analysis_stage,
      error: answer.error ?? answer.analysis_error,
    };
    if (answer.job_url) this.urls.job = answer.job_url;
    if (this.now.state === "succeeded") {
      this.parts.panel.hidden = true;
      void this.finished();
      return;
    }
    this.#show();
    if (LIVE.has(this.now.state)) this.#later();
  }

  async #analyse() {
    this.parts.again.disabled = true;
    try {
      const { answer } = await request("POST", this.urls.analyse);
      this.wait = FIRST_WAIT_MS;
      this.#take(answer);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.parts.again.disabled = false;
    }
  }

  async #cancel() {
    this.parts.cancel.disabled = true;
    try {
      const { answer } = await request("POST", `${this.urls.job}cancel/`);
      clearTimeout(this.timer);
      this.#take(answer);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.parts.cancel.disabled = false;
    }
  }

  #failed(error) {
    if (error instanceof Unreachable) this.say("The server cannot be reached. Please try again in a moment.", "error");
    else if (error instanceof Refused) this.say(error.message, "error");
    else throw error;
  }

  /** An analysis that found nothing: said in the same place, with its reason. */
  showEmpty(note) {
    this.#panel("No chromosomes were found", note || "The analysis ended well, but found nothing to arrange.", {
      again: "Analyse again",
    });
  }

  /** A karyogram that is there but did not come: said where it would stand, until it does. */
  showUnloaded(sentence, reload) {
    this.#panel("The karyogram could not be loaded", `${sentence} It is kept on the server as it was.`, { again: "Load it again" });
    this.parts.again.hidden = false;
    this.reload = reload;
  }

  hide() {
    this.reload = null;
    if (!LIVE.has(this.now.state)) this.parts.panel.hidden = true;
  }

  #show() {
    const { state, stage, error } = this.now;
    if (this.hasKaryogram() && !LIVE.has(state)) {
      this.parts.panel.hidden = true;
      if (state === "failed") this.say(`${error} The karyogram is as it was.`, "error");
      return;
    }
    const goesOn = "It goes on if you leave this page.";
    if (state === "queued") this.#panel("Waiting for analysis", `Other cells are before this one. ${goesOn}`, { live: 0 });
    else if (state === "running") {
      const step = STAGES.indexOf(stage) + 1;
      const doing = DOING[stage] ?? "starting";
      this.#panel("Being analysed", `Step ${Math.max(step, 1)} of ${STAGES.length}: ${doing}. ${goesOn}`, { live: step });
    } else if (state === "failed") this.#panel("The analysis failed", error, { again: "Analyse again" });
    else if (state === "cancelled")
      this.#panel("The analysis was cancelled", "The photograph is kept.", { again: "Analyse again" });
    else this.#panel("Not analysed yet", "The photograph is kept; its chromosomes have not been looked for.", { again: "Analyse" });
  }

  #panel(title, text, { live, again }) {
    const { parts } = this;
    this.reload = null;
    parts.panel.hidden = false;
    parts.panel.classList.toggle("beside", this.hasKaryogram());
    parts.title.textContent = title;
    parts.text.textContent = text;
    parts.bar.hidden = live === undefined;
    if (live !== undefined) {
      parts.bar.max = STAGES.length;
      parts.bar.value = live;
    }
    parts.cancel.hidden = live === undefined || !this.may;
    parts.again.hidden = !again || !this.may;
    if (again) parts.again.textContent = again;
  }
}
