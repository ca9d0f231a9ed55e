import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { entries } from "../tests/preview-samples.ts";
import { jobProgress, jobProgressMessage, liveConnection, sseMessage } from "./live.ts";

const [first] = entries;
if (first === undefined) throw new Error("there is a sample job");
const { job } = first;

/** What a browser makes of a stream: messages with event, id and data. */
function read(stream: string): { event: string; data: string; id: string }[] {
  return stream
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const message = { event: "", data: [] as string[], id: "" };
      for (const line of block.split(/\r\n|\r|\n/)) {
        const [, field, value = ""] = /^([a-z]+): ?(.*)$/s.exec(line) ?? [];
        if (field === "data") message.data.push(value);
        else if (field === "event") message.event = value;
        else if (field === "id") message.id = value;
        else throw new Error(`a line of no meaning: ${line}`);
      }
      return { ...message, data: message.data.join("\n") };
    });
}

describe("a message of the event stream", () => {
  test("is one message with its data, whatever stands in it", () => {
    const text = fc.array(
      fc.constantFrom("a", "\n", "\r", "\r\n", "\n\n", ":", "data: x", "event: job"),
    );
    fc.assert(
      fc.property(text, text, (data, event) => {
        const sent = data.join("");
        const stream = sseMessage({ event: `e${event.join("")}`, data: sent, id: event.join("") });
        const messages = read(stream);
        expect(messages).toHaveLength(1);
        expect(messages[0]?.data).toBe(sent.replace(/\r\n|\r/g, "\n"));
      }),
    );
  });

  test("without a name is for htmx to swap", () => {
    expect(sseMessage({ data: "<p>" })).toBe("data: <p>\n\n");
    expect(sseMessage({ event: "job", data: "{}" })).toBe("event: job\ndata: {}\n\n");
  });
});

describe("progress", () => {
  test("goes to both places by their stable ids and carries no behaviour", () => {
    const message = jobProgressMessage({ ...job, progressPercent: 77 });
    for (const size of ["row", "large"] as const) {
      const [, id] = /id="([^"]+)"/.exec(jobProgress(job, size).toString()) ?? [];
      expect(message).toContain(`<hx-partial hx-target="#${id}" hx-swap="innerMorph">`);
    }
    expect(message).toContain('value="77.0"');
    expect(message.replace(/<\/?hx-partial[^>]*>/g, "")).not.toMatch(/hx-|id=/);
  });

  test("never shows less than nothing or more than all", () => {
    expect(jobProgressMessage({ ...job, progressPercent: 117 })).toContain("100 %");
    expect(jobProgressMessage({ ...job, progressPercent: -3 })).toContain("0 %");
  });

  test("leaves out what is not known", () => {
    const text = jobProgressMessage({ ...job, speed: null, etaSeconds: null });
    expect(text).not.toMatch(/real time|left|null/);
  });
});

test("the connection tries again by itself and swaps nothing into itself", () => {
  const text = liveConnection("/ui/events").render("MDEyMzQ1Njc4OWFiY2RlZg");
  expect(text).toContain('hx-sse:connect="/ui/events"');
  expect(text).toContain('hx-swap="none"');
  expect(text).toContain("every 20s");
  expect(text).toContain("hx-nonce=");
});
