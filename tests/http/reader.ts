/** The far end of an event stream, for tests. */

/** Longest that a test waits for a message that must come. */
const WAIT_MS = 5_000;

/** Reads an event stream piece by piece. */
export class StreamReader {
  private readonly reader;
  private text = "";

  constructor(response: Response) {
    const body: ReadableStream<Uint8Array> | null = response.body;
    if (body === null) throw new Error("the stream has no body");
    this.reader = body.getReader();
  }

  /** All text until `piece` came, so many times. */
  async until(piece: string, times = 1): Promise<string> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no ${piece} in ${this.text}`)), WAIT_MS);
    try {
      while (this.text.split(piece).length <= times) {
        const { value, done } = await Promise.race([this.reader.read(), late.promise]);
        if (done) throw new Error(`ended before ${piece}: ${this.text}`);
        this.text += new TextDecoder().decode(value);
      }
    } finally {
      clearTimeout(timer);
    }
    return this.text;
  }

  async end(): Promise<void> {
    while (!(await this.reader.read()).done);
  }

  leave(): Promise<void> {
    return this.reader.cancel();
  }
}
