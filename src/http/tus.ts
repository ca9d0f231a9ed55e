/**
 * tus 1.0.0. The protocol is @tus/server's: methods, headers, offsets. Who may, how much and where the bytes go is ours.
 * The library is given no body: the bytes go from the socket to the file without passing through its streams, which
 * would double what a byte costs.
 */
import type { Checksum } from "../ingest/checksum.ts";
import { checksumAlgorithms } from "../ingest/checksum.ts";
import type { Uploads } from "../ingest/uploads.ts";
import { Refusal } from "../trouble.ts";

export const tusPath = "/api/v1/uploads";
const tusVersion = "1.0.0";

/** Of tus, and those that we add. */
const extensions = ["creation", "creation-with-upload", "termination", "expiration", "checksum"];

/** One request on its way through the library. */
export interface TusCall {
  method: string;
  ownerId: string;
  /** The upload of the address; null where one is to be made. */
  id: string | null;
  headers: Headers;
  body: ReadableStream<Uint8Array> | null;
  checksum: Checksum | null;
  /** When the client goes away. */
  signal: AbortSignal;
  /** Called when all bytes are here: looking into them takes as long as it takes. */
  onWhole(): void;
}

interface Running extends TusCall {
  stopper: AbortController;
  /** What went wrong on our side of the library or on its own. */
  failure: unknown;
}

/** What of a request the library is shown: nothing that a proxy adds. */
const shown = /^(tus-resumable|upload-[a-z-]+|content-(type|length))$/;

type TusLibrary = typeof import("@tus/server");
type TusServer = InstanceType<TusLibrary["Server"]>;

export class Tus {
  private readonly uploads: Uploads;
  private readonly limits: { readonly maxBytes: number };
  private readonly running = new WeakMap<Request, Running>();
  /** Whose request holds the lock of an upload: what stores knows the upload, and not the request. */
  private readonly holding = new Map<string, Running>();
  private server: Promise<TusServer> | null = null;

  constructor(uploads: Uploads, limits: { readonly maxBytes: number }) {
    this.uploads = uploads;
    this.limits = limits;
  }

  /** @throws Refusal, with the headers that tus wants on every answer */
  async answer(call: TusCall): Promise<Response> {
    const running: Running = { ...call, stopper: new AbortController(), failure: null };
    const request = new Request(
      `http://uploads${tusPath}${call.id === null ? "" : `/${call.id}`}`,
      {
        method: call.method,
        headers: [...call.headers].filter(([name]) => shown.test(name)),
      },
    );
    this.running.set(request, running);
    // Loaded with the first upload: a start need not wait for it.
    this.server ??= this.load();
    try {
      const response = await (await this.server).handleWeb(request);
      if (response.status >= 400) throw await troubleOf(running, response);
      return await this.complete(running, response);
    } catch (cause) {
      if (call.method === "POST" && running.id !== null) {
        // Nobody was told where it is.
        await this.uploads.drop(running.id).catch(() => undefined);
      }
      throw cause instanceof Refusal ? withTusHeaders(cause) : cause;
    }
  }

  private async complete(call: Running, response: Response): Promise<Response> {
    const { headers } = response;
    // No other site's page has any business here.
    for (const name of [...headers.keys()]) {
      if (name.startsWith("access-control-")) headers.delete(name);
    }
    if (call.method === "OPTIONS") {
      headers.set("tus-checksum-algorithm", checksumAlgorithms.join(","));
      return response;
    }
    if (call.id === null || call.method === "DELETE") return response;
    const upload = this.uploads.find(call.id);
    if (this.uploads.wasThere(upload)) headers.set("kinomill-reused", "true");
    if (upload.assetId !== null) headers.set("kinomill-asset", upload.assetId);
    else headers.set("upload-expires", new Date(this.uploads.expiryOf(upload)).toUTCString());
    return response;
  }

  private async load(): Promise<TusServer> {
    const library = await import("@tus/server");
    return new library.Server({
      path: tusPath,
      datastore: this.storeOf(library),
      maxSize: () => this.limits.maxBytes,
      relativeLocation: true,
      allowedOrigins: () => false,
      locker: (request) => ({ newLock: (id) => this.lockOf(request, id) }),
      getFileIdFromRequest: (request) => this.callOf(request).id ?? undefined,
      namingFunction: () => this.uploads.newId(),
      // `holding` is set by the lock; the maker of an upload holds it before anybody knows its name.
      onUploadFinish: async (request, { id }) => {
        this.callOf(request).onWhole();
        return { headers: { "kinomill-asset": await this.uploads.finish(id) } };
      },
      onResponseError: (request, error) => {
        this.callOf(request).failure = error;
        return undefined;
      },
    });
  }

  private callOf(request: object): Running {
    const call = this.running.get(request as Request);
    if (call === undefined) throw new Error("invariant broken: tus has a request of its own");
    return call;
  }

  private lockOf(request: object, id: string) {
    let release = () => {};
    return {
      lock: async () => {
        const call = this.callOf(request);
        release = await this.uploads.locks.acquire(id, (cause) => call.stopper.abort(cause));
        this.holding.set(id, call);
      },
      unlock: async () => {
        this.holding.delete(id);
        release();
      },
    };
  }

  private holderOf(id: string): Running {
    const call = this.holding.get(id);
    if (call === undefined) throw new Error("invariant broken: tus writes what it has locked");
    return call;
  }

  private storeOf({ DataStore, Upload }: TusLibrary) {
    const { uploads } = this;
    const holderOf = (id: string) => this.holderOf(id);
    return new (class extends DataStore {
      // Expiry is by our clock, so the library is told none (`getExpiration` stays 0).
      override extensions = extensions;

      override async create(upload: InstanceType<typeof Upload>) {
        const call = holderOf(upload.id);
        const { ownerId } = call;
        const metadata = upload.metadata ?? {};
        await uploads.create({ id: upload.id, ownerId, metadata }, upload.size ?? 0);
        call.id = upload.id;
        return upload;
      }

      override async write(nothing: AsyncIterable<unknown>, id: string, from: number) {
        // The library's stream is empty, and its pipeline wants to see the end of it.
        for await (const _ of nothing);
        const { body, checksum, signal, stopper } = holderOf(id);
        return await uploads.append(id, {
          body: body ?? new Blob([]).stream(),
          from,
          checksum,
          signal: AbortSignal.any([signal, stopper.signal]),
        });
      }

      override async getUpload(id: string) {
        const upload = uploads.find(id);
        const { metadata, lengthBytes: size } = upload;
        return new Upload({ id, size, metadata, offset: await uploads.offsetOf(upload) });
      }

      override async remove(id: string) {
        await uploads.remove(id);
      }
    })();
  }
}

/** What the library says, in our words. */
async function troubleOf(call: Running, response: Response): Promise<unknown> {
  const { failure } = call;
  if (failure instanceof Error) return failure;
  const said = (await response.text()).trim();
  switch (response.status) {
    case 404:
      return new Refusal(404, "not_found", "There is no such upload.");
    case 409: {
      const sentence =
        "Upload-Offset is not where this upload stands. Ask with HEAD how far it is, and go on from there.";
      return new Refusal(409, "wrong_offset", sentence);
    }
    case 413: {
      const sentence =
        call.id === null
          ? "The file is larger than uploads may be (uploads.maxBytes)."
          : "More bytes were announced than Upload-Length said. Nothing of them was taken.";
      return new Refusal(413, "too_large", sentence);
    }
    default: {
      const sentence = `This is not a request as tus ${tusVersion} has them: ${said || "look at its headers"}.`;
      return new Refusal(400, "bad_request", sentence);
    }
  }
}

export function withTusHeaders(refusal: Refusal): Refusal {
  const { status, code, message, errors } = refusal;
  const tus = { "Tus-Resumable": tusVersion, "Tus-Version": tusVersion };
  return new Refusal(status, code, message, { errors, headers: { ...refusal.headers, ...tus } });
}
