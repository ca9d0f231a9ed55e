/** What a browser keeps of files on their way in. */
import type { Page } from "playwright-core";

/** Makes it forget them, as a browser that keeps no files, or one whose copy was too large to keep. */
export function forgetKept(page: Page): Promise<void> {
  return page.evaluate(`new Promise((resolve, reject) => {
    const opening = indexedDB.open("kinomill-uploads");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const clearing = opening.result.transaction(["files", "notes"], "readwrite");
      for (const name of ["files", "notes"]) clearing.objectStore(name).clear();
      clearing.oncomplete = () => { opening.result.close(); resolve(); };
    };
  })`) as Promise<void>;
}
