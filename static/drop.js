// Files and folders that are dropped anywhere on a page, or picked. They are told of by the event `files`.
{
  const DEPTH_MAX = 16; // Folders in folders; deeper is a mistake or a loop.
  const FILES_MAX = 2000; // As many as the tray takes.
  const HANDLE_MS = 2000;
  const picker = document.getElementById("file-picker");
  const zone = document.getElementById("drop-zone");
  const endings = (picker?.accept ?? "").split(",").filter((word) => word.startsWith("."));

  /** In folders lies much besides: what is no media by type or name stays there. */
  function isMedia({ name, type }) {
    if (name.startsWith(".")) return false;
    const lower = name.toLowerCase();
    return /^(?:video|audio|image)\//.test(type) || endings.some((word) => lower.endsWith(word));
  }

  const hand = (found) => document.dispatchEvent(new CustomEvent("files", { detail: found }));

  /** @param found what is added to: `{ files: [{ file, handle }], leftOut }` */
  async function walkHandle(handle, found, depth) {
    if (found.files.length >= FILES_MAX || depth > DEPTH_MAX) return;
    if (handle.kind === "file") {
      const file = await handle.getFile();
      if (depth === 0 || isMedia(file)) found.files.push({ file, handle });
      else found.leftOut += 1;
      return;
    }
    for await (const inner of handle.values()) await walkHandle(inner, found, depth + 1);
  }

  const promised = (ask) => new Promise((resolve, reject) => ask(resolve, reject));

  async function walkEntry(entry, found, depth) {
    if (found.files.length >= FILES_MAX || depth > DEPTH_MAX) return;
    if (entry.isFile) {
      const file = await promised((resolve, reject) => entry.file(resolve, reject));
      if (depth === 0 || isMedia(file)) found.files.push({ file, handle: null });
      else found.leftOut += 1;
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      // It gives some hundred at a time, and none at the end.
      const some = await promised((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const inner of some) await walkEntry(inner, found, depth + 1);
    }
  }

  /** A browser that has no handle after all may never say so. */
  const soon = () => new Promise((resolve) => setTimeout(() => resolve(null), HANDLE_MS));

  /** What was dropped is only there until the handler returns: first all is taken, then read. */
  async function take(transfer) {
    const items = [...transfer.items].filter(({ kind }) => kind === "file");
    const taken = items.map((item) => ({
      handle: item.getAsFileSystemHandle?.() ?? Promise.resolve(null),
      entry: item.webkitGetAsEntry?.() ?? null,
      file: item.getAsFile(),
    }));
    const found = { files: [], leftOut: 0, unread: 0 };
    for (const { handle: asked, entry, file } of taken) {
      const handle = await Promise.race([asked.catch(() => null), soon()]);
      try {
        if (handle) await walkHandle(handle, found, 0);
        else if (entry?.isDirectory) await walkEntry(entry, found, 0);
        else if (file !== null) found.files.push({ file, handle: null });
      } catch {
        found.unread += 1;
      }
    }
    hand(found);
  }

  const pairs = (files) => ({ files: [...files].map((file) => ({ file, handle: null })) });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-pick-files]")) picker?.click();
  });
  picker?.addEventListener("change", () => {
    hand({ ...pairs(picker.files), leftOut: 0, unread: 0 });
    picker.value = "";
  });

  let depth = 0; // dragenter and dragleave come in pairs for every element below the pointer.
  const carriesFiles = (event) => zone !== null && event.dataTransfer?.types.includes("Files");
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
    void take(event.dataTransfer);
  });
}
