/* Steps and versions in words: what one step did, and what differs between two karyograms.  No DOM here. */

import { slotOf } from "./reducer.js";
import { plural, slotName } from "./words.js";

const EVERYTHING = "*";

/** Ids of the chromosomes that an edit concerns; "*" where it concerns all of them. */
export function touched(edit) {
  if (!edit) return new Set();
  if (edit.op === "replace") return new Set([EVERYTHING]);
  if (edit.op === "batch") return new Set(edit.edits.flatMap((one) => [...touched(one)]));
  if (edit.op === "lost") return new Set([`lost ${edit.label}`]);
  return new Set([edit.id, edit.other, edit.chromosome?.id].filter(Boolean));
}

/** Whether two such sets speak of the same chromosome. */
export function meet(one, other) {
  if (!one.size || !other.size) return false;
  if (one.has(EVERYTHING) || other.has(EVERYTHING)) return true;
  return [...one].some((id) => other.has(id));
}

const placeName = (slot) => (slot === "debris" ? "debris" : slot === "unknown" ? "unclassified" : slot);

/* The ids in a document, by what a person calls them: its class, or where it lies. */
const called = (document, id) => {
  const found = document?.chromosomes.find((one) => one.id === id);
  return found ? (found.state === "debris" ? "debris" : found.label === "unknown" ? "? (unclassified)" : found.label) : "a chromosome";
};

const MARKS = { marker: "marked as a marker", derivative: "marked as a derivative", "": "no longer marked" };
const AMOUNTS_TO = {
  split: (name) => `${name} split in two`,
  merge: (name) => `${name}: pieces merged`,
  marker: (name) => `${name} marked as a marker`,
  derivative: (name) => `${name} marked as a derivative`,
  restore: (name) => `${name} back to the machine’s proposal`,
  version: () => "back to an earlier version",
};

const WORDS = {
  move: (edit, name, from) => moved(name, from, edit.label, edit.index),
  place: (edit, name, from) => moved(name, from, edit.state === "debris" ? "debris" : edit.label, edit.index),
  debris: (edit, name) => `${name} → debris`,
  rotate: (edit, name) => `${name} turned to ${Math.round(edit.angle)}°`,
  flip: (edit, name) => `${name} flipped`,
  review: (edit, name) => (edit.reviewed ? `${name} kept as it is` : `${name} in doubt again`),
  swap: (edit, name, from, before) => `${name} and ${called(before, edit.other)} exchanged`,
  mark: (edit, name) => `${name} ${MARKS[edit.role] ?? "marked"}`,
  lost: (edit) => (edit.count ? `${edit.count} of ${edit.label} noted as lost` : `none of ${edit.label} lost`),
  straighten: (edit, name) => (edit.straight ? `${name} shown straight` : `${name} shown as it lies`),
  reshape: (edit, name) => `outline of ${name} redrawn`,
  add: (edit) => `${placeName(edit.chromosome.label)} added`,
  remove: (edit, name) => `${name} removed`,
};

function moved(name, from, to, index) {
  if (from && slotOf(from) === to) return `${name} to place ${index + 1}`;
  return `${from?.state === "debris" ? `debris (was ${slotName(from.label)})` : name} → ${placeName(to)}`;
}

/** What an edit does, "8 → X"; before: the document that it was made on, or null where that is not known. */
export function editWords(edit, before) {
  if (edit.op === "replace") return edit.document ? plural(edit.document.chromosomes.length, "chromosome") : "the whole karyogram";
  const named = edit.op === "batch" ? edit.edits.find((one) => one.id)?.id : edit.id;
  const name = called(before, named);
  if (edit.op !== "batch") return WORDS[edit.op]?.(edit, name, before?.chromosomes.find((one) => one.id === edit.id), before) ?? edit.op;
  if (AMOUNTS_TO[edit.as]) return AMOUNTS_TO[edit.as](name);
  const words = [...new Set(edit.edits.map((one) => editWords(one, before)))];
  return words.length > 2 ? `${words[0]}, and ${words.length - 1} more changes` : words.join(", ");
}

/** What a step of the history did. */
export function stepWords(step, before) {
  if (step.kind === "proposal") return step.version === 1 ? "Proposed by the machine" : "Proposed anew by the machine";
  if (step.kind === "restore") return `Back to version ${step.restores}`;
  return editWords(step.edit, before);
}

const sameRings = (one, other) => one === other || JSON.stringify(one) === JSON.stringify(other);
const degrees = (angle) => `${Math.round(angle)}°`;

function differences(a, b) {
  const what = [];
  const [from, to] = [slotOf(a), slotOf(b)];
  if (from !== to) what.push(`${placeName(from)} → ${placeName(to)}`);
  else if (a.order !== b.order) what.push(`place ${a.order + 1} → ${b.order + 1}`);
  if (!sameRings(a.rings, b.rings)) what.push("outline redrawn");
  if (a.angle !== b.angle) what.push(`turned ${degrees(a.angle)} → ${degrees(b.angle)}`);
  if (a.flip !== b.flip) what.push(b.flip ? "flipped" : "no longer flipped");
  if (Boolean(a.straight) !== Boolean(b.straight)) what.push(b.straight ? "shown straight" : "shown as it lies");
  if ((a.role ?? "") !== (b.role ?? "")) what.push(MARKS[b.role ?? ""]);
  if (a.reviewed !== b.reviewed) what.push(b.reviewed ? "looked at" : "not looked at");
  return what;
}

/** What differs from document `a` to document `b`: [{id, name, what: [words]}], in the order of the sheet.
    A chromosome that only stands in another place because a neighbour came or went is not listed. */
export function compare(a, b) {
  const [old, now] = [a, b].map((document) => new Map(document.chromosomes.map((one) => [one.id, one])));
  const found = [];
  const changedSlots = new Set();
  for (const id of new Set([...old.keys(), ...now.keys()])) {
    const [before, after] = [old.get(id), now.get(id)];
    if (before && after && slotOf(before) === slotOf(after)) continue;
    for (const one of [before, after]) if (one) changedSlots.add(slotOf(one));
  }
  for (const id of new Set([...old.keys(), ...now.keys()])) {
    const [before, after] = [old.get(id), now.get(id)];
    const one = after ?? before;
    let what = !before ? ["added"] : !after ? ["removed"] : differences(before, after);
    const shifted = before && after && what.length === 1 && what[0].startsWith("place ");
    if (shifted && changedSlots.has(slotOf(one))) what = [];
    if (what.length) found.push({ id, name: called(after ? b : a, id), what, label: one.label, order: one.order });
  }
  for (const label of new Set([...Object.keys(a.lost ?? {}), ...Object.keys(b.lost ?? {})])) {
    const [was, is] = [a.lost?.[label] ?? 0, b.lost?.[label] ?? 0];
    if (was !== is) found.push({ id: `lost ${label}`, name: label, what: [`noted as lost: ${was} → ${is}`], label, order: 99 });
  }
  const rank = ({ label }) => (/^\d+$/.test(label) ? Number(label) : { X: 23, Y: 24 }[label] ?? 25);
  return found.sort((one, other) => rank(one) - rank(other) || one.order - other.order);
}

/** "14:03" today, "22 Nov 14:03" before; with the year where it is another one. */
export function when(iso, now = new Date()) {
  const at = new Date(iso);
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === now.toDateString()) return time;
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  return `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...year })} ${time}`;
}

const DECIDED = { named: "named", turned: "turned", outlined: "outlined", reviewed: "looked at" };

/** Sentences on how a chromosome came to be what it is: the machine with its confidence, and who decided what since. */
export function originWords(chromosome, decisions = []) {
  const percent = (share) => `${Math.round(share * 100)} %`;
  const drawn = decisions.some((one) => one.what === "outlined") && chromosome.source === "person";
  const named = decisions.some((one) => one.what === "named");
  const best = Object.entries(chromosome.probabilities).sort(([, one], [, other]) => other - one)[0];
  const machine = best
    ? named && best[0] !== chromosome.label
      ? `The machine took it for ${placeName(best[0])} (${percent(best[1])})`
      : `Named by the machine, ${percent(chromosome.score)} sure`
    : "Found by the machine";
  const people = decisions.map((one) => `${DECIDED[one.what] ?? one.what} by ${one.by}, ${when(one.at)}`);
  return [...(drawn && !best ? [] : [machine]), ...people.map((words) => words[0].toUpperCase() + words.slice(1))];
}
