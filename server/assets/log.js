// Verifies the transparency log in the reader's browser: the checkpoint's signature, that the entries of
// this page are in the tree that it names, and that this tree continues the one that this browser saw
// last. Hashing as in RFC 6962; formats of C2SP tlog-checkpoint and tlog-tiles.

const SEEN = "blindprint-log-head";
const WIDTH = 256;

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const textOf = (bytes) => btoa(String.fromCharCode(...bytes));
const same = (one, other) => textOf(one) === textOf(other);

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const leaf = (entry) => sha256(joined([0], entry));
const node = (left, right) => sha256(joined([1], left, right));

async function fetched(path, form) {
  const response = await fetch(path, { cache: "no-store" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response[form]();
}

// A signed note: text, an empty line, signatures. The key is `name+id+base64(1 || key)`.
async function checkpoint(key) {
  const note = await fetched("/log/checkpoint", "text");
  const end = note.lastIndexOf("\n\n");
  const text = note.slice(0, end + 1);
  const [origin, size, root] = text.split("\n");
  const [, name, material] = /^([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(key);
  const raw = bytesOf(material);
  if (origin !== name || raw[0] !== 1) throw new Error("the checkpoint is another log's");
  const own = await crypto.subtle.importKey("raw", raw.slice(1), { name: "Ed25519" }, false, ["verify"]);
  for (const line of note.slice(end + 2).split("\n")) {
    const [dash, signer, signature] = line.split(" ");
    if (dash !== "\u2014" || signer !== name) continue;
    const signed = bytesOf(signature).slice(4);
    if (await crypto.subtle.verify({ name: "Ed25519" }, own, signed, new TextEncoder().encode(text))) {
      return { size: Number(size), root: bytesOf(root) };
    }
  }
  throw new Error("no signature of the log's key");
}

// RFC 9162 section 2.1.3.2.
async function isIncluded(index, size, hash, path, root) {
  let [place, last, running] = [index, size - 1, hash];
  for (const sibling of path.map(bytesOf)) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      running = await node(sibling, running);
      while (place % 2 === 0 && place !== 0) [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
    } else {
      running = await node(running, sibling);
    }
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && same(running, root);
}

// RFC 9162 section 2.1.4.2.
async function isContinued(older, newer, path) {
  if (older.size === newer.size) return same(older.root, newer.root);
  const nodes = path.map(bytesOf);
  if (Number.isInteger(Math.log2(older.size))) nodes.unshift(older.root);
  let [place, last] = [older.size - 1, newer.size - 1];
  while (place % 2 === 1) [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  let [before, after] = [nodes[0], nodes[0]];
  if (!before) return false;
  for (const sibling of nodes.slice(1)) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      before = await node(sibling, before);
      after = await node(sibling, after);
      while (place % 2 === 0 && place !== 0) [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
    } else {
      after = await node(after, sibling);
    }
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && same(before, older.root) && same(after, newer.root);
}

// The place of a bundle: three digits a part, all but the last marked with an x.
function bundlePath(index, width) {
  let digits = String(index % 1000).padStart(3, "0");
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    digits = `x${String(rest % 1000).padStart(3, "0")}/${digits}`;
  }
  return `/log/tile/entries/${digits}${width < WIDTH ? `.p/${width}` : ""}`;
}

// Entries of a bundle, each behind its length in two bytes.
async function bundle(index, size) {
  const width = Math.min(WIDTH, size - index * WIDTH);
  const bytes = new Uint8Array(await fetched(bundlePath(index, width), "arrayBuffer"));
  const entries = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const length = bytes[at] * 256 + bytes[at + 1];
    entries.push(bytes.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}

async function verifyEntries(first, last, head) {
  const bundles = new Map();
  for (let index = first; index <= last; index += 1) {
    const of = Math.floor(index / WIDTH);
    if (!bundles.has(of)) bundles.set(of, await bundle(of, head.size));
    const entry = bundles.get(of)[index % WIDTH];
    if (!entry) return false;
    const { path } = await fetched(`/v1/log/inclusion?index=${index}&size=${head.size}`, "json");
    if (!(await isIncluded(index, head.size, await leaf(entry), path, head.root))) return false;
  }
  return true;
}

function seen() {
  try {
    const { size, root } = JSON.parse(localStorage.getItem(SEEN) ?? "");
    return { size, root: bytesOf(root) };
  } catch {
    return null;
  }
}

const steps = document.getElementById("log-steps");
const button = document.getElementById("log-verify");

function say(step, good, words) {
  const item = steps.querySelector(`[data-step="${step}"]`);
  item.className = good ? "good" : "bad";
  item.textContent = `${item.dataset.text} \u2013 ${words ?? (good ? steps.dataset.good : steps.dataset.bad)}`;
}

async function attempt(step, work) {
  let good = false;
  try {
    good = await work();
  } catch {
    good = false;
  }
  say(step, good);
  return good;
}

async function verify() {
  button.disabled = true;
  for (const item of steps.children) {
    item.className = "";
    item.textContent = item.dataset.text;
  }
  let head = null;
  const signed = await attempt("signature", async () => {
    head = await checkpoint(steps.dataset.key);
    return true;
  });
  if (signed) {
    const [first, last] = [Number(steps.dataset.first), Number(steps.dataset.last)];
    await attempt("inclusion", () => verifyEntries(first, last, head));
    const before = seen();
    if (before) {
      const going = await attempt("consistency", async () => {
        if (before.size > head.size) return false;
        const proof = `/v1/log/consistency?first=${before.size}&second=${head.size}`;
        return isContinued(before, head, (await fetched(proof, "json")).path);
      });
      // What does not continue what was seen is not remembered in its place.
      if (!going) head = null;
    } else {
      say("consistency", true, steps.querySelector("[data-first-time]").dataset.firstTime);
    }
    if (head) localStorage.setItem(SEEN, JSON.stringify({ size: head.size, root: textOf(head.root) }));
  }
  button.disabled = false;
}

if (steps?.dataset.first !== undefined) {
  button.addEventListener("click", verify);
  verify();
} else if (button) {
  button.disabled = true;
}
