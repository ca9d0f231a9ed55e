// The upload queue of the library: files in by hand or by drop, two at a time, each with its progress.
const PARALLEL_MAX = 2; // Two keep a disk and a home network busy; more only slow each other.
const QUEUE_MAX = 500; // More rows than anybody follows; the rest can be added afterwards.
const SPEED_WINDOW_MS = 4000; // The speed is of the last seconds, so that the estimate follows the network.
const DONE_MS = 6000; // A finished row stays this long.

const picker = document.getElementById("file-picker");
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

function problemText(request) {
  try {
    const problem = JSON.parse(request.responseText);
    if (typeof problem.detail === "string" && problem.detail !== "") return problem.detail;
  } catch {
    // Not from Kinomill: a proxy answered, and the status says more than its page.
  }
  if (request.status === 413) return "This file is larger than the server accepts.";
  if (request.status === 507) return "The server's disk is full.";
  return `The server refused this file (status ${request.status}).`;
}

// One upload -----------------------------------------------------------------------------------
function show(upload, state, note) {
  upload.state = state;
  upload.row.dataset.state = state;
  upload.note.textContent = note;
  upload.retry.hidden = state !== "failed";
  upload.cancel.setAttribute(
    "aria-label",
    state === "failed" || state === "done" ? "Remove from this list" : "Cancel this upload",
  );
}

function add(file) {
  const row = template.content.firstElementChild.cloneNode(true);
  const find = (name) => row.querySelector(`[data-${name}]`);
  const upload = {
    file,
    row,
    note: find("note"),
    bar: find("bar"),
    retry: find("upload-retry"),
    cancel: find("upload-cancel"),
    request: null,
    samples: [],
  };
  find("name").textContent = file.name;
  find("name").title = file.name;
  upload.bar.setAttribute("aria-label", `Upload of ${file.name}`);
  upload.cancel.addEventListener("click", () => remove(upload));
  upload.retry.addEventListener("click", () => {
    show(upload, "waiting", "Waiting");
    pump();
  });
  show(upload, "waiting", "Waiting");
  uploads.add(upload);
  list.append(row);
}

function remove(upload) {
  uploads.delete(upload);
  upload.request?.abort();
  upload.row.remove();
  pump();
}

function start(upload) {
  const request = new XMLHttpRequest();
  upload.request = request;
  upload.samples = [];
  upload.bar.value = 0;
  show(upload, "sending", "Starting");
  request.upload.addEventListener("progress", (event) => sent(upload, event.loaded));
  request.upload.addEventListener("load", () => {
    upload.bar.removeAttribute("value");
    show(upload, "sending", "Looking into the file");
  });
  request.addEventListener("load", () => answered(upload));
  request.addEventListener("error", () => {
    ended(upload, "failed", "The connection broke. Try again when the server answers.");
  });
  request.open("POST", `/api/v1/assets?name=${encodeURIComponent(upload.file.name)}`);
  request.setRequestHeader("accept", "application/json");
  request.setRequestHeader("content-type", "application/octet-stream");
  request.send(upload.file);
}

function sent(upload, bytes) {
  const now = performance.now();
  upload.samples.push({ now, bytes });
  while (upload.samples.length > 2 && now - upload.samples[0].now > SPEED_WINDOW_MS) {
    upload.samples.shift();
  }
  const [first] = upload.samples;
  const speed = now > first.now ? ((bytes - first.bytes) * 1000) / (now - first.now) : 0;
  upload.bar.value = upload.file.size === 0 ? 100 : (bytes / upload.file.size) * 100;
  const words = [`${sizeText(bytes)} of ${sizeText(upload.file.size)}`];
  if (speed > 0 && bytes < upload.file.size) {
    words.push(`${sizeText(speed)}/s`, `${spanText((upload.file.size - bytes) / speed)} left`);
  }
  show(upload, "sending", words.join(" · "));
}

function answered(upload) {
  const { request } = upload;
  if (request.status === 401) {
    location.assign("/login");
    return;
  }
  if (request.status < 200 || request.status > 299) {
    ended(upload, "failed", problemText(request));
    return;
  }
  ended(upload, "done", "Done");
  htmx.trigger(document.body, "library");
  setTimeout(() => remove(upload), DONE_MS);
}

function ended(upload, state, note) {
  upload.request = null;
  show(upload, state, note);
  pump();
}

// The queue ------------------------------------------------------------------------------------
function pump() {
  const all = [...uploads];
  let sending = all.filter(({ state }) => state === "sending").length;
  for (const upload of all) {
    if (sending >= PARALLEL_MAX) break;
    if (upload.state !== "waiting") continue;
    start(upload);
    sending += 1;
  }
  const open = all.filter(({ state }) => state === "waiting" || state === "sending").length;
  const failed = all.filter(({ state }) => state === "failed").length;
  list.hidden = all.length === 0;
  headText.textContent =
    open > 0
      ? `Uploading ${open} ${open === 1 ? "file" : "files"}`
      : failed > 0
        ? `${failed} ${failed === 1 ? "upload" : "uploads"} failed`
        : "Uploaded";
}

function addAll(files) {
  for (const file of [...files].slice(0, QUEUE_MAX - uploads.size)) add(file);
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
