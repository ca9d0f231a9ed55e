// What this browser keeps of files on their way in, so that the next page goes on with them: where the browser gives a
// handle the handle, else a copy of the file in IndexedDB. Each person's alone, and forgotten when it has arrived.
{
  const FILE_BYTES_MAX = 2 * 1024 ** 3; // Larger ones take too long to copy; they are chosen again after a reload.
  const ALL_BYTES_MAX = 4 * 1024 ** 3; // Of the person's own disk.
  const ANSWER_MS = 250; // Another tab that holds a file says so at once.
  const STALE_MS = 3 * 86_400_000; // The server forgets what was begun; so does this.

  const user = document.getElementById("uploads")?.dataset.user ?? "";
  const channel =
    "BroadcastChannel" in globalThis ? new BroadcastChannel("kinomill-uploads") : null;
  const held = new Set();
  let keptBytes = 0;

  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.addEventListener("success", () => resolve(request.result));
      request.addEventListener("error", () => reject(request.error));
    });

  let opened = null;
  function open() {
    opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("kinomill-uploads", 1);
      request.addEventListener("upgradeneeded", () => {
        request.result.createObjectStore("files", { keyPath: "key" });
        request.result.createObjectStore("notes", { keyPath: "key" });
      });
      request.addEventListener("success", () => resolve(request.result));
      request.addEventListener("error", () => reject(request.error));
    });
    return opened;
  }

  async function change(work) {
    const database = await open();
    const transaction = database.transaction(["files", "notes"], "readwrite");
    const done = new Promise((resolve, reject) => {
      transaction.addEventListener("complete", resolve);
      for (const end of ["abort", "error"]) {
        transaction.addEventListener(end, () => reject(transaction.error));
      }
    });
    work(transaction.objectStore("files"), transaction.objectStore("notes"));
    await done;
  }

  function newKey() {
    return [...crypto.getRandomValues(new Uint8Array(12))]
      .map((byte) => byte.toString(36))
      .join("-");
  }

  /** Keeps a file. False: it will have to be chosen again. */
  async function keep(upload) {
    const { file, handle = null } = upload;
    const copied = handle === null ? file.size : 0;
    if (copied > FILE_BYTES_MAX || keptBytes + copied > ALL_BYTES_MAX) return false;
    keptBytes += copied;
    const key = newKey();
    held.add(key);
    upload.key = key;
    const note = {
      key,
      user,
      name: file.name,
      url: null,
      both: false,
      paused: false,
      at: Date.now(),
    };
    try {
      await change((files, notes) => {
        files.put({ key, file: handle === null ? file : null, handle });
        notes.put(note);
      });
      upload.kept = true;
      // What happened while it was written.
      if (!held.has(key)) await forget(upload);
      else await tell(upload);
      return true;
    } catch {
      keptBytes -= copied; // A private window, a full disk, or a browser that keeps no files.
      return false;
    }
  }

  /** Writes down how an upload stands. */
  async function tell({ key, url, both, state, file, name }) {
    if (key === undefined || !held.has(key)) return;
    const paused = state === "paused";
    const note = { key, user, name: file?.name ?? name, url, both, paused, at: Date.now() };
    await change((_, notes) => notes.put(note)).catch(() => undefined);
  }

  async function forget({ key, kept, file, handle = null }) {
    if (key === undefined) return;
    held.delete(key);
    if (!kept) return;
    if (handle === null) keptBytes -= file?.size ?? 0;
    await change((files, notes) => {
      files.delete(key);
      notes.delete(key);
    }).catch(() => undefined);
  }

  /** Keys of these that another tab holds. */
  function heldElsewhere(keys) {
    if (channel === null || keys.length === 0) return Promise.resolve(new Set());
    return new Promise((resolve) => {
      const found = new Set();
      const listen = ({ data }) => {
        for (const key of data.held ?? []) found.add(key);
      };
      channel.addEventListener("message", listen);
      channel.postMessage({ who: keys });
      setTimeout(() => {
        channel.removeEventListener("message", listen);
        resolve(found);
      }, ANSWER_MS);
    });
  }
  channel?.addEventListener("message", ({ data }) => {
    const mine = (data.who ?? []).filter((key) => held.has(key));
    if (mine.length > 0) channel.postMessage({ held: mine });
  });

  /** What a page before this one did not finish, as far as no other tab goes on with it. */
  async function restore() {
    const database = await open();
    const read = (name) => settled(database.transaction(name).objectStore(name).getAll());
    const notes = (await read("notes")).filter((note) => note.user === user);
    const stale = notes.filter(({ at }) => Date.now() - at > STALE_MS);
    for (const note of stale) await forget({ ...note, kept: true, handle: 1 });
    const fresh = notes.filter((note) => !stale.includes(note));
    const elsewhere = await heldElsewhere(fresh.map(({ key }) => key));
    const mine = fresh.filter(({ key }) => !elsewhere.has(key));
    for (const { key } of mine) held.add(key);
    const files = new Map((await read("files")).map((entry) => [entry.key, entry]));
    return await Promise.all(
      mine.map(async (note) => {
        const { file = null, handle = null } = files.get(note.key) ?? {};
        keptBytes += file?.size ?? 0;
        return { ...note, kept: true, handle, file: file ?? (await fileOf(handle, false)) };
      }),
    );
  }

  /** The file behind a handle; null when the browser wants to be asked first. @param ask needs a press of the person */
  async function fileOf(handle, ask) {
    if (handle === null) return null;
    const wish = { mode: "read" };
    try {
      const may = await handle[ask ? "requestPermission" : "queryPermission"](wish);
      return may === "granted" ? await handle.getFile() : null;
    } catch {
      return null; // It was moved or deleted meanwhile.
    }
  }

  const able = "indexedDB" in globalThis;
  globalThis.uploadMemory = {
    keep: able ? keep : async () => false,
    tell,
    forget,
    restore: able ? restore : async () => [],
    fileOf,
  };
}
