// Large files straight into the bucket, where the server says that this page may: parts side by side, each to an address
// that is valid for a quarter of an hour. Has the shape of tus.Upload, so that the queue treats both alike.
const DIRECT_ENDPOINT = `${document.documentElement.dataset.base}api/v1/uploads/direct`;
const PARTS_AT_ONCE = 3; // Keeps a long line full; more only take memory from each other.
const ADDRESSES_AT_ONCE = 12;
const LOOKING_MS = 1000; // How often it is asked for while the server looks into the file.
const PART_SILENCE_MS = 60_000; // A part of which nothing moves for so long is sent again.

/** With what `tus.DetailedError` has of an answer. */
class DirectError extends Error {
  constructor(method, status, body) {
    super(`${method}: status ${status}`);
    this.originalRequest = { getMethod: () => method };
    this.originalResponse = { getStatus: () => status, getBody: () => body };
    try {
      this.code = JSON.parse(body).code;
    } catch {
      this.code = undefined;
    }
  }
}

const sleep = (delayMs, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

async function askDirect(method, path, signal, body) {
  const request = { method, signal, headers: { accept: "application/json" } };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers["content-type"] = "application/json";
  }
  const answer = await fetch(path, request).catch(() => {
    throw new DirectError(method, 0, "");
  });
  const text = await answer.text();
  if (!answer.ok) throw new DirectError(method, answer.status, text);
  return JSON.parse(text);
}

/** One part to its address; XHR, because fetch does not say how far a body is. */
function putPart(url, blob, signal, onBytes) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const gaveUp = (status) => {
      const detail = tray.fill(status === 0 ? tray.words.partLost : tray.words.partRefused, {
        status,
      });
      reject(new DirectError("PUT", status === 0 ? 0 : 503, JSON.stringify({ detail })));
    };
    let silence = 0;
    const hear = () => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), PART_SILENCE_MS);
    };
    request.open("PUT", url);
    request.upload.addEventListener("progress", ({ loaded }) => {
      hear();
      onBytes(loaded);
    });
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else gaveUp(request.status);
    });
    for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => gaveUp(0));
    request.addEventListener("loadend", () => clearTimeout(silence));
    signal.addEventListener("abort", () => request.abort());
    hear();
    request.send(blob);
  });
}

globalThis.DirectUpload = class DirectUpload {
  constructor(file, options) {
    this.file = file;
    this.options = options;
    this.url = null;
    this.stopper = null;
  }

  /** What was begun before: how much of each has come the bucket says. */
  static async left() {
    const headers = { accept: "application/json" };
    const answer = await fetch(DIRECT_ENDPOINT, { headers });
    if (!answer.ok) return [];
    const begun = (await answer.json()).items.filter(({ state }) => state === "receiving");
    const all = begun.map(async ({ id }) => {
      const url = `${DIRECT_ENDPOINT}/${id}`;
      const item = await (await fetch(url, { headers })).json();
      const { name, sizeBytes: lengthBytes, modified } = item;
      const leftBytes = Math.min((item.received?.length ?? 0) * item.partBytes, lengthBytes);
      return { state: item.state, url, name, lengthBytes, modified, leftBytes };
    });
    return (await Promise.all(all)).filter(({ state }) => state === "receiving");
  }

  async memoryKey() {
    return `direct-${await this.options.fingerprint(this.file)}`;
  }

  async findPreviousUploads() {
    const urlStorageKey = await this.memoryKey();
    const uploadUrl = localStorage.getItem(urlStorageKey);
    return uploadUrl === null ? [] : [{ uploadUrl, urlStorageKey }];
  }

  start() {
    this.stopper = new AbortController();
    const { signal } = this.stopper;
    this.run(signal).then(
      () => signal.aborted || this.options.onSuccess(),
      (error) => signal.aborted || this.options.onError(error),
    );
  }

  /** @param forget whether what has come is deleted too */
  async abort(forget = false) {
    this.stopper?.abort();
    if (!forget || this.url === null) return;
    localStorage.removeItem(await this.memoryKey());
    await fetch(this.url, { method: "DELETE" });
  }

  /** Again and again until it is done, what has come is kept. */
  async run(signal) {
    let tries = 0;
    const moved = () => {
      tries = 0;
    };
    while (!signal.aborted) {
      try {
        await this.attempt(signal, moved);
        return;
      } catch (error) {
        if (!(error instanceof DirectError)) throw error;
        const delayMs = this.options.retryDelays[tries];
        if (signal.aborted || error.code === "not_direct" || delayMs === undefined) throw error;
        if (!this.options.onShouldRetry(error)) throw error;
        tries += 1;
        await sleep(delayMs, signal);
      }
    }
  }

  async attempt(signal, moved) {
    const upload = this.url === null ? await this.create(signal) : await this.look(signal);
    if (upload.state === "receiving") await this.sendMissing(upload, signal, moved);
    for (;;) {
      const ended = await askDirect("POST", `${this.url}/complete`, signal);
      if (ended.state === "complete") break;
      await sleep(LOOKING_MS, signal);
      signal.throwIfAborted();
    }
    localStorage.removeItem(await this.memoryKey());
  }

  async create(signal) {
    const { filename: name, modified } = this.options.metadata;
    const wanted = { name, modified, sizeBytes: this.file.size };
    const upload = await askDirect("POST", DIRECT_ENDPOINT, signal, wanted);
    this.url = `${DIRECT_ENDPOINT}/${upload.id}`;
    localStorage.setItem(await this.memoryKey(), this.url);
    this.options.onUploadUrlAvailable();
    return upload;
  }

  /** As tus asks with HEAD: the queue knows by it that the server has forgotten the upload. */
  async look(signal) {
    try {
      return await askDirect("GET", this.url, signal);
    } catch (error) {
      if (error instanceof DirectError) error.originalRequest = { getMethod: () => "HEAD" };
      throw error;
    }
  }

  async sendMissing({ parts, partBytes, received }, signal, moved) {
    const there = new Set(received);
    const missing = Array.from({ length: parts }, (_, index) => index + 1).filter(
      (part) => !there.has(part),
    );
    const sizeOf = (part) => Math.min(partBytes, this.file.size - (part - 1) * partBytes);
    let doneBytes = received.reduce((sum, part) => sum + sizeOf(part), 0);
    const underWay = new Map();
    const tell = () => {
      const sending = [...underWay.values()].reduce((sum, bytes) => sum + bytes, 0);
      // The whole is only there when the server has it: the queue says then that it looks into it.
      this.options.onProgress(Math.min(doneBytes + sending, this.file.size - 1));
    };
    tell();
    const stopOthers = new AbortController();
    const stop = AbortSignal.any([signal, stopOthers.signal]);
    const sendOne = async ({ part, url }) => {
      const from = (part - 1) * partBytes;
      underWay.set(part, 0);
      try {
        await putPart(url, this.file.slice(from, from + sizeOf(part)), stop, (bytes) => {
          underWay.set(part, bytes);
          tell();
        });
        doneBytes += sizeOf(part);
        moved();
      } finally {
        underWay.delete(part);
      }
    };
    let addresses = [];
    const worker = async () => {
      for (;;) {
        if (addresses.length === 0) {
          const wanted = missing.splice(0, ADDRESSES_AT_ONCE);
          if (wanted.length === 0) return;
          const asked = await askDirect("POST", `${this.url}/addresses`, stop, { parts: wanted });
          addresses.push(...asked.items);
          continue;
        }
        await sendOne(addresses.shift());
      }
    };
    try {
      await Promise.all(Array.from({ length: PARTS_AT_ONCE }, worker));
    } finally {
      stopOthers.abort();
      addresses = [];
    }
    this.options.onProgress(this.file.size);
  }
};
