// The upload queue: files in by hand or by drop, two at a time, each with its progress. They go by tus, so that they go on
// after a cut, a restart of the server, on the next page, and in a tab that was closed and opened again.
const PARALLEL_MAX = 2; // Two keep a disk and a home network busy; more only slow each other.
const QUEUE_MAX = 2000; // More rows than anybody follows; the rest can be added afterwards.
const SPEED_WINDOW_MS = 4000; // The speed is of the last seconds, so that the estimate follows the network.
const DONE_MS = 6000; // A finished row stays this long.
const PIECE_BYTES = 64 * 1024 ** 2; // Less than proxies on the way usually take at once.
// Quick at first, for a cut that is over; then for an hour, for a server that is being moved.
const RETRY_DELAYS_MS = [0, 500, 1000, 2000, 5000, 10_000, ...Array(120).fill(30_000)];
const BASE = document.documentElement.dataset.base; // "/", or the path under which a proxy offers the site
const ENDPOINT = `${BASE}api/v1/uploads`;

const { list, words, fill, sizeText, spanText, statusOf, problemOf, problemText } = tray;
const again = document.getElementById("file-again");
const uploads = new Set();

// One upload -----------------------------------------------------------------------------------
// States: waiting, sending, paused, failed, done; left: begun before, and its file is not here.
function show(upload, state, note) {
  const paused = upload.state === "paused";
  upload.state = state;
  upload.row.dataset.state = state;
  upload.note.textContent = note;
  const { find } = upload;
  find("retry").hidden = state !== "failed";
  find("choose").hidden = state !== "left";
  find("pause").hidden = state !== "sending" && state !== "waiting";
  find("resume").hidden = state !== "paused";
  find("keep-both").hidden = true;
  const over = state === "done" || (state === "failed" && upload.url === null);
  find("cancel").setAttribute("aria-label", over ? words.removeRow : words.cancelRow);
  if (paused !== (state === "paused")) void uploadMemory.tell(upload);
}

function addRow(name) {
  const upload = {
    ...{ name, file: null, handle: null, tus: null, url: null, samples: [], leftBytes: 0 },
    ...{ both: false, kept: false, ...tray.newRow(name) },
  };
  const commands = { cancel: remove, pause, choose: chooseAgain, retry: wait, resume: wait };
  for (const [command, work] of Object.entries({ ...commands, "keep-both": keepBoth })) {
    upload.find(command).addEventListener("click", () => work(upload));
  }
  uploads.add(upload);
  return upload;
}

function wait(upload) {
  show(upload, "waiting", words.waiting);
  pump();
}

function pause(upload) {
  const hadFocus = document.activeElement === upload.find("pause");
  void upload.tus?.abort();
  const at = sizeText(upload.leftBytes);
  show(upload, "paused", upload.leftBytes > 0 ? fill(words.pausedAt, { size: at }) : words.paused);
  if (hadFocus) upload.find("resume").focus();
  pump();
}

/** Away with it, here and on the server. Should that not be told, it forgets the upload by itself. */
function remove(upload) {
  uploads.delete(upload);
  upload.row.remove();
  void uploadMemory.forget(upload);
  const begun = upload.state !== "done" && upload.url !== null;
  if (upload.tus !== null) {
    upload.tus.url = upload.url;
    upload.tus.abort(begun).catch(() => undefined);
  } else if (begun) {
    const options = { method: "DELETE", headers: { "tus-resumable": "1.0.0" } };
    fetch(upload.url, options).catch(() => undefined);
  }
  pump();
}

function modifiedOf(file) {
  return String(file.lastModified);
}

/** The name under which the browser remembers where a file goes. */
function fingerprintOf(file) {
  return Promise.resolve(`kinomill-${file.name}-${file.size}-${modifiedOf(file)}`);
}

const pathOf = (url) => new URL(url, location.href).pathname;
const isTaken = (url) => [...uploads].some((upload) => upload.file !== null && upload.url === url);

/** Where this file went before, by what this browser remembers. */
async function rememberedUrl(upload) {
  upload.previous = await upload.tus.findPreviousUploads();
  const urls = upload.previous.flatMap(({ uploadUrl }) => (uploadUrl ? [pathOf(uploadUrl)] : []));
  return urls.find((url) => !isTaken(url)) ?? null;
}

// Files from this size on go straight into the bucket; 0 where there is none, or where it lets no page of this address in.
let directBytes = Number(list.dataset.directBytes ?? 0);

/** What carries an upload: straight into the bucket, or by tus to the server, which most pages never need. */
async function carrierOf({ file, url }) {
  const direct = url === null ? directBytes > 0 && file.size >= directBytes : isDirect(url);
  if (direct) return DirectUpload;
  if (globalThis.tus === undefined) await import(list.dataset.tusAddress);
  return globalThis.tus.Upload;
}

const isDirect = (url) => url.startsWith(`${ENDPOINT}/direct/`);

async function start(upload) {
  upload.samples = [];
  show(upload, "sending", words.starting);
  const { file } = upload;
  const Carrier = await carrierOf(upload);
  upload.tus = new Carrier(file, {
    endpoint: ENDPOINT,
    chunkSize: PIECE_BYTES,
    retryDelays: RETRY_DELAYS_MS,
    removeFingerprintOnSuccess: true,
    fingerprint: fingerprintOf,
    // What is here already is not stored again, unless the person said so.
    metadata: {
      filename: file.name,
      modified: modifiedOf(file),
      ifExists: upload.both ? "keep" : "reuse",
    },
    onUploadUrlAvailable: () => {
      upload.url = pathOf(upload.tus.url);
      // Otherwise a proxy that says 502 for a moment would have it begin anew.
      upload.tus.options.endpoint = null;
      void uploadMemory.tell(upload);
    },
    onShouldRetry: (error) => mayRetry(upload, error),
    onProgress: (bytes) => sent(upload, bytes),
    // What went into the bucket has no answer of tus.
    onSuccess: (payload) => succeeded(upload, payload?.lastResponse ?? null),
    onError: (error) => failed(upload, error),
  });
  upload.url ??= await rememberedUrl(upload);
  if (upload.url !== null) {
    dropTwins(upload);
    upload.tus.url = upload.url;
    upload.tus.options.endpoint = null;
  }
  // It may have been paused or removed while the memory was asked.
  if (upload.state === "sending" && uploads.has(upload)) upload.tus.start();
}

/** The server told of it as left before this page knew where its file goes. */
function dropTwins({ url }) {
  for (const other of uploads) {
    if (other.state !== "left" || other.url !== url || other.file !== null) continue;
    uploads.delete(other);
    other.row.remove();
  }
}

function mayRetry(upload, error) {
  const status = statusOf(error);
  if (status >= 400 && status < 500 && ![408, 409, 423, 429].includes(status)) return false;
  if (problemOf(error).code === "sandbox_missing") return false; // That does not pass by itself.
  const why = status === 0 ? words.broke : problemText(error).replace(/\.$/, "");
  upload.samples = [];
  if (upload.state === "sending") show(upload, "sending", fill(words.tryingAgain, { why }));
  return true;
}

function sent(upload, bytes) {
  if (upload.state !== "sending") return;
  const now = performance.now();
  const { size } = upload.file;
  upload.leftBytes = bytes;
  upload.samples.push({ now, bytes });
  while (upload.samples.length > 2 && now - upload.samples[0].now > SPEED_WINDOW_MS) {
    upload.samples.shift();
  }
  if (bytes === size) {
    upload.bar.removeAttribute("value");
    show(upload, "sending", words.looking);
    return;
  }
  const [first] = upload.samples;
  const speed = now > first.now ? ((bytes - first.bytes) * 1000) / (now - first.now) : 0;
  upload.bar.value = (bytes / size) * 100;
  const told = [fill(words.ofAll, { size: sizeText(bytes), total: sizeText(size) })];
  if (speed > 0) {
    told.push(`${sizeText(speed)}/s`, fill(words.left, { span: spanText((size - bytes) / speed) }));
  }
  show(upload, "sending", told.join(" · "));
}

function succeeded(upload, response) {
  ended(upload, "done", words.done);
  void uploadMemory.forget(upload);
  if (response?.getHeader("kinomill-reused") === "true") {
    offerBoth(upload, response.getHeader("kinomill-asset"));
    return;
  }
  htmx.trigger(document.body, "library");
  const assetId = response?.getHeader("kinomill-asset") ?? null;
  document.dispatchEvent(new CustomEvent("uploaded", { detail: assetId }));
  setTimeout(() => {
    uploads.delete(upload);
    upload.row.remove();
    pump();
  }, DONE_MS);
}

/** It was not stored a second time. The row stays: the person may want it all the same. */
function offerBoth(upload, assetId) {
  const link = document.createElement("a");
  link.href = `${BASE}assets/${encodeURIComponent(assetId)}`;
  link.textContent = words.lookAtIt;
  upload.note.replaceChildren(words.haveAlready, link, ".");
  upload.find("keep-both").hidden = false;
}

function keepBoth(upload) {
  upload.both = true;
  upload.url = null;
  upload.leftBytes = 0;
  wait(upload);
  void uploadMemory.keep(upload);
}

function failed(upload, error) {
  const status = statusOf(error);
  if (status === 401) {
    // After the login it goes on where it was.
    ended(upload, "failed", problemText(error));
    void kinomill.life.check().then(() => kinomill.life.onceHere(() => wait(upload)));
    return;
  }
  if (problemOf(error).code === "not_direct") {
    directBytes = 0;
    void start(upload);
    return;
  }
  const resumed = upload.url !== null && error.originalRequest?.getMethod() === "HEAD";
  if (resumed && (status === 404 || status === 410)) {
    // The server has forgotten it, or it is of somebody else who used this browser: from the start.
    forget(upload);
    void start(upload);
    return;
  }
  if (status === 422) {
    // What is no media is gone from the server too.
    forget(upload);
    void uploadMemory.forget(upload);
  }
  ended(upload, "failed", problemText(error));
}

function forget(upload) {
  upload.url = null;
  upload.leftBytes = 0;
  for (const { urlStorageKey } of upload.previous ?? []) localStorage.removeItem(urlStorageKey);
}

function ended(upload, state, note) {
  show(upload, state, note);
  pump();
}

// What was begun before --------------------------------------------------------------------------
const LOOK_AGAIN_MS = [1000, 2000, 5000]; // A server notices after a moment that a tab was closed.

function arrivedText({ leftBytes, lengthBytes }) {
  return fill(words.arrived, { size: sizeText(leftBytes), total: sizeText(lengthBytes) });
}

async function showLeft(look = 0) {
  const answer = await fetch(ENDPOINT, { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const { items } = await answer.json();
  const unknown = items.filter(({ id }) => {
    return ![...uploads].some(({ url }) => url === `${ENDPOINT}/${id}`);
  });
  if (unknown.some(({ active }) => active)) {
    const waitMs = LOOK_AGAIN_MS[look] ?? LOOK_AGAIN_MS.at(-1);
    setTimeout(() => void showLeft(look + 1).catch(() => undefined), waitMs);
  }
  // One that comes now is the matter of another tab.
  for (const item of unknown.filter(({ active }) => !active)) {
    const url = `${ENDPOINT}/${item.id}`;
    const upload = addRow(item.metadata.filename ?? item.name);
    const { offset: leftBytes, length: lengthBytes } = item;
    Object.assign(upload, { url, leftBytes, lengthBytes, modified: item.metadata.modified });
    upload.bar.value = lengthBytes === 0 ? 0 : (leftBytes / lengthBytes) * 100;
    show(upload, "left", arrivedText(upload));
  }
  pump();
}

/** Those that go straight into the bucket. */
async function showLeftDirect() {
  if (directBytes === 0) return;
  for (const { name, ...begun } of await DirectUpload.left()) {
    if ([...uploads].some(({ url }) => url === begun.url)) continue;
    const upload = Object.assign(addRow(name), begun);
    upload.bar.value = (begun.leftBytes / begun.lengthBytes) * 100;
    show(upload, "left", arrivedText(upload));
  }
  pump();
}

/** Whether a file is the one of which a part is on the server already. */
function fits(upload, file) {
  const sameTime = upload.modified === undefined || upload.modified === modifiedOf(file);
  return upload.name === file.name && upload.lengthBytes === file.size && sameTime;
}

let chosenFor = null;

/** The browser may have a handle of it and want to be asked; else the person shows the file once more. */
async function chooseAgain(upload) {
  if (upload.handle !== null) {
    const file = await uploadMemory.fileOf(upload.handle, true);
    if (file !== null) return goOn(upload, file);
  }
  chosenFor = upload;
  again.click();
}

again.addEventListener("change", () => {
  const [file] = again.files;
  const upload = chosenFor;
  chosenFor = null;
  if (file !== undefined && upload !== null && uploads.has(upload)) {
    if (fits(upload, file)) goOn(upload, file);
    else show(upload, "left", words.otherFile);
  }
  again.value = "";
});

function goOn(upload, file) {
  upload.file = file;
  wait(upload);
}

// The queue ------------------------------------------------------------------------------------
function pump() {
  const all = [...uploads];
  let sending = all.filter(({ state }) => state === "sending").length;
  for (const upload of all) {
    if (sending >= PARALLEL_MAX) break;
    if (upload.state !== "waiting") continue;
    void start(upload);
    sending += 1;
  }
  list.hidden = all.length === 0;
  const states = all.map(({ state }) => state);
  list.querySelector("[data-uploads-state]").textContent = tray.headText(states);
}

function addAll({ files, leftOut, unread }) {
  const room = Math.max(0, QUEUE_MAX - uploads.size);
  for (const { file, handle } of files.slice(0, room)) {
    const begun = [...uploads].find((upload) => upload.state === "left" && fits(upload, file));
    if (begun !== undefined) {
      goOn(begun, file);
      continue;
    }
    const upload = addRow(file.name);
    Object.assign(upload, { file, handle });
    show(upload, "waiting", words.waiting);
    void uploadMemory.keep(upload);
  }
  const beyond = files.length - room;
  if (beyond > 0) say(fill(words.tooMany, { count: beyond, most: QUEUE_MAX }));
  if (leftOut > 0) say(fill(words.leftOut, { count: leftOut }));
  if (unread > 0) say(fill(words.notReadable, { count: unread }));
  pump();
}

const say = (sentence) => kinomill.notify(sentence, "plain");

document.addEventListener("files", ({ detail }) => addAll(detail));

addEventListener("online", () => {
  // The network is back: who waits for the next try need not.
  for (const upload of uploads) {
    if (upload.state !== "sending" || upload.tus === null) continue;
    void upload.tus.abort().then(() => upload.state === "sending" && upload.tus?.start());
  }
});
/** What the page before was at, and what the server has a part of. */
async function goOnWithAll() {
  for (const entry of await uploadMemory.restore().catch(() => [])) {
    const upload = addRow(entry.name);
    Object.assign(upload, entry);
    if (entry.file === null) show(upload, "left", words.chooseAgain);
    else if (entry.paused) show(upload, "paused", words.paused);
    else show(upload, "waiting", words.waiting);
  }
  pump();
  await showLeft();
  await showLeftDirect();
}
globalThis.uploadQueue = uploads;
void goOnWithAll().catch(() => undefined);
