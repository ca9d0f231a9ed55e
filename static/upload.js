// The upload queue of the library: files in by hand or by drop, two at a time, each with its progress. They go by
// tus, so that they go on after a cut, a restart of the server, and in a tab that was closed and opened again.
const PARALLEL_MAX = 2; // Two keep a disk and a home network busy; more only slow each other.
const QUEUE_MAX = 500; // More rows than anybody follows; the rest can be added afterwards.
const SPEED_WINDOW_MS = 4000; // The speed is of the last seconds, so that the estimate follows the network.
const DONE_MS = 6000; // A finished row stays this long.
const PIECE_BYTES = 64 * 1024 ** 2; // Less than proxies on the way usually take at once.
// Quick at first, for a cut that is over; then for an hour, for a server that is being moved.
const RETRY_DELAYS_MS = [0, 500, 1000, 2000, 5000, 10_000, ...Array(120).fill(30_000)];
const BASE = document.documentElement.dataset.base; // "/", or the path under which a proxy offers the site
const ENDPOINT = `${BASE}api/v1/uploads`;

const picker = document.getElementById("file-picker");
const again = document.getElementById("file-again");
const list = document.getElementById("uploads");
const zone = document.getElementById("drop-zone");
const template = document.getElementById("upload-row");

const uploads = new Set();
const head = document.createElement("div");
head.className = "uploads-head";
const headText = document.createElement("span");
headText.setAttribute("role", "status");
head.append(headText);
list.append(head);

// Words ----------------------------------------------------------------------------------------
function sizeText(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 99.95 ? 0 : 1)} ${units[unit]}`;
}

function spanText(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

const statusOf = (error) => error.originalResponse?.getStatus() ?? 0;

/** What Kinomill says of it; nothing where a proxy answered, and the status says more than its page. */
function problemOf(error) {
  try {
    return JSON.parse(error.originalResponse.getBody());
  } catch {
    return {};
  }
}

function problemText(error) {
  const status = statusOf(error);
  const { detail } = problemOf(error);
  if (typeof detail === "string" && detail !== "") return detail;
  if (status === 0) return "The connection broke. Try again when the server answers.";
  if (status === 413) return "This file is larger than the server accepts.";
  if (status === 507) return "The server's disk is full.";
  return `The server refused this file (status ${status}).`;
}

// One upload -----------------------------------------------------------------------------------
// States: waiting, sending, paused, failed, done; left: begun before, and its file is not here.
function show(upload, state, note) {
  upload.state = state;
  upload.row.dataset.state = state;
  upload.note.textContent = note;
  upload.retry.hidden = state !== "failed";
  upload.choose.hidden = state !== "left";
  upload.pause.hidden = state !== "sending" && state !== "waiting";
  upload.resume.hidden = state !== "paused";
  upload.keep.hidden = true;
  const over = state === "done" || (state === "failed" && upload.url === null);
  const label = over ? "Remove from this list" : "Cancel this upload and delete what has arrived";
  upload.cancel.setAttribute("aria-label", label);
}

function addRow(name) {
  const row = template.content.firstElementChild.cloneNode(true);
  const find = (part) => row.querySelector(`[data-${part}]`);
  const upload = {
    ...{ name, row, file: null, tus: null, url: null, samples: [], leftBytes: 0 },
    ...{ note: find("note"), bar: find("bar"), cancel: find("upload-cancel") },
    ...{ retry: find("upload-retry"), choose: find("upload-choose") },
    ...{ pause: find("upload-pause"), resume: find("upload-resume") },
    ...{ keep: find("upload-keep"), both: false },
  };
  find("name").textContent = name;
  find("name").title = name;
  upload.bar.setAttribute("aria-label", `Upload of ${name}`);
  upload.cancel.addEventListener("click", () => remove(upload));
  upload.pause.addEventListener("click", () => pause(upload));
  upload.keep.addEventListener("click", () => keepBoth(upload));
  upload.choose.addEventListener("click", () => chooseAgain(upload));
  for (const button of [upload.retry, upload.resume]) {
    button.addEventListener("click", () => wait(upload));
  }
  uploads.add(upload);
  list.append(row);
  return upload;
}

function wait(upload) {
  show(upload, "waiting", "Waiting");
  pump();
}

function pause(upload) {
  const hadFocus = document.activeElement === upload.pause;
  void upload.tus?.abort();
  const there = upload.leftBytes > 0 ? ` at ${sizeText(upload.leftBytes)}` : "";
  show(upload, "paused", `Paused${there}`);
  if (hadFocus) upload.resume.focus();
  pump();
}

/** Away with it, here and on the server. Should that not be told, it forgets the upload by itself. */
function remove(upload) {
  uploads.delete(upload);
  upload.row.remove();
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

/** What carries an upload: straight into the bucket, or by tus to the server. */
function carrierOf({ file, url }) {
  const direct = url === null ? directBytes > 0 && file.size >= directBytes : isDirect(url);
  return direct ? DirectUpload : tus.Upload;
}

const isDirect = (url) => url.startsWith(`${ENDPOINT}/direct/`);

async function start(upload) {
  upload.samples = [];
  show(upload, "sending", "Starting");
  const { file } = upload;
  const Carrier = carrierOf(upload);
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
    },
    onShouldRetry: (error) => mayRetry(upload, error),
    onProgress: (bytes) => sent(upload, bytes),
    // What went into the bucket has no answer of tus.
    onSuccess: (payload) => succeeded(upload, payload?.lastResponse ?? null),
    onError: (error) => failed(upload, error),
  });
  upload.url ??= await rememberedUrl(upload);
  if (upload.url !== null) {
    upload.tus.url = upload.url;
    upload.tus.options.endpoint = null;
  }
  // It may have been paused or removed while the memory was asked.
  if (upload.state === "sending" && uploads.has(upload)) upload.tus.start();
}

function mayRetry(upload, error) {
  const status = statusOf(error);
  if (status >= 400 && status < 500 && ![408, 409, 423, 429].includes(status)) return false;
  if (problemOf(error).code === "sandbox_missing") return false; // That does not pass by itself.
  const why = status === 0 ? "The connection broke" : problemText(error).replace(/\.$/, "");
  upload.samples = [];
  if (upload.state === "sending") show(upload, "sending", `${why}. Trying again by itself.`);
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
    show(upload, "sending", "Looking into the file");
    return;
  }
  const [first] = upload.samples;
  const speed = now > first.now ? ((bytes - first.bytes) * 1000) / (now - first.now) : 0;
  upload.bar.value = (bytes / size) * 100;
  const words = [`${sizeText(bytes)} of ${sizeText(size)}`];
  if (speed > 0) words.push(`${sizeText(speed)}/s`, `${spanText((size - bytes) / speed)} left`);
  show(upload, "sending", words.join(" · "));
}

function succeeded(upload, response) {
  ended(upload, "done", "Done");
  if (response?.getHeader("kinomill-reused") === "true") {
    offerBoth(upload, response.getHeader("kinomill-asset"));
    return;
  }
  htmx.trigger(document.body, "library");
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
  link.textContent = "look at it";
  upload.note.replaceChildren("You have this file already: ", link, ".");
  upload.keep.hidden = false;
}

function keepBoth(upload) {
  upload.both = true;
  upload.url = null;
  upload.leftBytes = 0;
  wait(upload);
}

function failed(upload, error) {
  const status = statusOf(error);
  if (status === 401) {
    location.assign(`${BASE}login`);
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
  if (status === 422) forget(upload); // What is no media is gone from the server too.
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
    const there = `${sizeText(leftBytes)} of ${sizeText(lengthBytes)} arrived`;
    show(upload, "left", `${there}. Choose the file again to go on.`);
  }
  pump();
}

/** Those that go straight into the bucket: how much of each has come the bucket says. */
async function showLeftDirect() {
  if (directBytes === 0) return;
  const headers = { accept: "application/json" };
  const answer = await fetch(`${ENDPOINT}/direct`, { headers });
  if (!answer.ok) return;
  for (const { id } of (await answer.json()).items.filter(({ state }) => state === "receiving")) {
    const url = `${ENDPOINT}/direct/${id}`;
    const item = await (await fetch(url, { headers })).json();
    if (item.state !== "receiving" || [...uploads].some((upload) => upload.url === url)) continue;
    const { name, sizeBytes: lengthBytes, partBytes, received, modified } = item;
    const leftBytes = Math.min(received.length * partBytes, lengthBytes);
    const upload = addRow(name);
    Object.assign(upload, { url, leftBytes, lengthBytes, modified });
    upload.bar.value = (leftBytes / lengthBytes) * 100;
    const there = `${sizeText(leftBytes)} of ${sizeText(lengthBytes)} arrived`;
    show(upload, "left", `${there}. Choose the file again to go on.`);
  }
  pump();
}

/** Whether a file is the one of which a part is on the server already. */
function fits(upload, file) {
  const sameTime = upload.modified === undefined || upload.modified === modifiedOf(file);
  return upload.name === file.name && upload.lengthBytes === file.size && sameTime;
}

let chosenFor = null;

function chooseAgain(upload) {
  chosenFor = upload;
  again.click();
}

again.addEventListener("change", () => {
  const [file] = again.files;
  const upload = chosenFor;
  chosenFor = null;
  if (file !== undefined && upload !== null && uploads.has(upload)) {
    if (fits(upload, file)) goOn(upload, file);
    else
      show(upload, "left", "That is another file, or it has changed since. Choose the same one.");
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
  const count = (...states) => all.filter(({ state }) => states.includes(state)).length;
  const open = count("waiting", "sending");
  const broken = count("failed");
  const left = count("left", "paused");
  const files = (number) => `${number} ${number === 1 ? "file" : "files"}`;
  list.hidden = all.length === 0;
  headText.textContent =
    open > 0
      ? `Uploading ${files(open)}`
      : broken > 0
        ? `${broken} ${broken === 1 ? "upload" : "uploads"} failed`
        : left > 0
          ? `${left} unfinished ${left === 1 ? "upload" : "uploads"}`
          : "Uploaded";
}

function addAll(files) {
  for (const file of [...files].slice(0, QUEUE_MAX - uploads.size)) {
    const begun = [...uploads].find((upload) => upload.state === "left" && fits(upload, file));
    if (begun !== undefined) goOn(begun, file);
    else {
      const upload = addRow(file.name);
      upload.file = file;
      show(upload, "waiting", "Waiting");
    }
  }
  pump();
}

// Hands ----------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-pick-files]")) picker.click();
});
picker.addEventListener("change", () => {
  addAll(picker.files);
  picker.value = "";
});

let depth = 0; // dragenter and dragleave come in pairs for every element below the pointer.
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragenter", (event) => {
  if (!carriesFiles(event)) return;
  depth += 1;
  zone.hidden = false;
});
addEventListener("dragleave", (event) => {
  if (!carriesFiles(event)) return;
  depth = Math.max(0, depth - 1);
  zone.hidden = depth === 0;
});
addEventListener("dragover", (event) => {
  if (carriesFiles(event)) event.preventDefault();
});
addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  depth = 0;
  zone.hidden = true;
  addAll(event.dataTransfer.files);
});
addEventListener("beforeunload", (event) => {
  if ([...uploads].some(({ state }) => state === "sending")) event.preventDefault();
});
addEventListener("online", () => {
  // The network is back: who waits for the next try need not.
  for (const upload of uploads) {
    if (upload.state !== "sending" || upload.tus === null) continue;
    void upload.tus.abort().then(() => upload.state === "sending" && upload.tus?.start());
  }
});
void showLeft()
  .then(showLeftDirect)
  .catch(() => undefined);
