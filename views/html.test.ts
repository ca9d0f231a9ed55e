import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { escapeHtml, type Html, html, raw } from "./html.ts";

const nonce = "MDEyMzQ1Njc4OWFiY2RlZg";

interface Seen {
  tags: string[];
  attributes: [string, string][];
  comments: number;
}

/** Reads markup with a parser that is not ours: Bun's HTMLRewriter. */
function read(markup: string): Seen {
  const seen: Seen = { tags: [], attributes: [], comments: 0 };
  new HTMLRewriter()
    .on("*", {
      element(element) {
        seen.tags.push(element.tagName);
        for (const [name, value] of element.attributes) seen.attributes.push([name, value ?? ""]);
      },
    })
    .onDocument({
      comments() {
        seen.comments += 1;
      },
    })
    .transform(markup);
  return seen;
}

/** Strings that lean towards what breaks out of HTML. */
const nasty = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.constantFrom(
        "<",
        ">",
        '"',
        "'",
        "`",
        "&",
        "=",
        "/",
        " ",
        "\n",
        "\0",
        "<!--",
        "-->",
        "</title>",
        "<script>",
        "</textarea>",
        "<img src=x onerror=",
        "hx-get=",
        "&quot;",
        "&#34;",
        "js:",
        "<![CDATA[",
        "<hx-partial ",
        "]]>",
        "\u2028",
        "a",
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join("")),
);

describe("whatever stands in a hole", () => {
  test("adds no element, attribute or comment", () => {
    const shape = read(page("", "").toString());
    fc.assert(
      fc.property(nasty, nasty, (one, two) => {
        const seen = read(page(one, two).toString());
        expect(seen.tags).toEqual(shape.tags);
        expect(seen.attributes.map(([name]) => name)).toEqual(
          shape.attributes.map(([name]) => name),
        );
        expect(seen.comments).toBe(0);
      }),
      { numRuns: 2000 },
    );
    function page(one: string, two: string): Html {
      return html`<h1 title="${one}" data-x='a ${two} b'>${one}</h1><textarea name="t">${two}</textarea><p hx-ignore>${[one, html`<b>${two}</b>`]}</p><a href="/?q=${one}">x</a>`;
    }
  });

  test("comes out as it went in, but for NUL", () => {
    const decode = (text: string) =>
      text.replace(/&(amp|lt|gt|quot|#39|#96);/g, (entity) => decoded[entity] ?? entity);
    const decoded: Record<string, string> = {
      "&amp;": "&",
      "&lt;": "<",
      "&gt;": ">",
      "&quot;": '"',
      "&#39;": "'",
      "&#96;": "`",
    };
    fc.assert(
      fc.property(nasty, (text) => {
        expect(decode(escapeHtml(text))).toBe(text.replaceAll("\0", "\ufffd"));
      }),
    );
  });

  test("cannot make a tag that htmx reads before the browser does", () => {
    const text = html`<p>${'<hx-partial hx-target="#x"></hx-partial>'}</p>`.toString();
    expect(text).not.toContain("<hx-");
  });
});

describe("a hole is refused", () => {
  const refused: [string, () => Html][] = [
    ["in an unquoted attribute", () => html`<p title=${"x"}></p>`],
    ["in an attribute name", () => html`<p ${"x"}="1"></p>`],
    ["in the middle of an attribute name", () => html`<p data-${"x"}="1"></p>`],
    ["as a tag name", () => html`<${"p"}></p>`],
    ["in the middle of a tag name", () => html`<h${1}></h1>`],
    ["in a closing tag", () => html`<p></${"p"}>`],
    ["in a handler", () => html`<p onclick="go(${1})"></p>`],
    ["in an htmx handler", () => html`<p hx-on:click="go(${1})"></p>`],
    ["in a style attribute", () => html`<p style="color:${"red"}"></p>`],
    ["in a script", () => html`<script>let a = ${1};</script>`],
    ["in a style sheet", () => html`<style>p { color: ${"red"} }</style>`],
    ["in a comment", () => html`<!-- ${"x"} -->`],
    ["in a document of a frame", () => html`<iframe srcdoc="${"x"}"></iframe>`],
    ["in a nonce", () => html`<script nonce="${"x"}"></script>`],
    ["in what htmx evaluates: values", () => html`<p hx-vals="${"js:alert(1)"}"></p>`],
    ["in what htmx evaluates: triggers", () => html`<p hx-trigger="load[${"alert(1)"}]"></p>`],
    ["in what htmx evaluates: confirmations", () => html`<p hx-confirm="${"js:alert(1)"}"></p>`],
    ["in what htmx evaluates: headers", () => html`<p hx-headers="${"js:alert(1)"}"></p>`],
    ["in the other prefix of htmx", () => html`<p data-hx-get="${"/x"}"></p>`],
  ];
  test.each(refused)("%s", (_, make) => {
    expect(make).toThrow(/^html: /);
  });

  test("when the template ends inside a tag or a value", () => {
    expect(() => html`<p title="x`).toThrow(/has no end/);
    expect(() => html`<p `).toThrow(/ends in tag/);
  });

  test("when it holds what is no text", () => {
    expect(() => html`<p>${{} as string}</p>`).toThrow(TypeError);
    expect(() => html`<p title="${html`<b></b>`}"></p>`).toThrow(TypeError);
    expect(() => html`<p title="${["a"]}"></p>`).toThrow(TypeError);
  });
});

describe("addresses and htmx attributes", () => {
  const schemes = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "js:alert(1)",
    " \tjs:1",
    "java\nscript:1",
    "\u0001javascript:1",
    "data:text/html,x",
    "vbscript:x",
  ];
  test.each(schemes)("refuse %j", (value) => {
    expect(() => html`<a href="${value}">x</a>`).toThrow(/executable scheme/);
    expect(() => html`<form action="${value}"></form>`).toThrow(/executable scheme/);
    expect(() => html`<p hx-get="${value}"></p>`).toThrow(/executable scheme/);
    expect(() => html`<p hx-sse:connect="${value}"></p>`).toThrow(/executable scheme/);
  });
  test("refuse a scheme that the template and the hole make together", () => {
    expect(() => html`<a href="java${"script:alert(1)"}">x</a>`).toThrow(/executable scheme/);
    expect(() => html`<p hx-get="j${"s"}${":1"}"></p>`).toThrow(/executable scheme/);
  });
  test("take paths and web addresses", () => {
    expect(html`<a href="${"/jobs?state=done"}">x</a>`.toString()).toBe(
      '<a href="/jobs?state=done">x</a>',
    );
    expect(html`<a href="${"https://example.org/a:b"}">x</a>`.toString()).toContain("https://");
  });
});

describe("values", () => {
  test("text, numbers, arrays and templates compose", () => {
    const rows = ["a", "<b>"].map((name) => html`<li>${name}</li>`);
    expect(html`<ul class="n${2}">${rows}${3}${null}${undefined}${false}</ul>`.toString()).toBe(
      '<ul class="n2"><li>a</li><li>&lt;b&gt;</li>3</ul>',
    );
  });
  test("an attribute that is one hole may vanish or be bare", () => {
    const box = (on: boolean | null) =>
      html`<input type="checkbox" checked="${on}" name="x">`.toString();
    expect(box(true)).toBe('<input type="checkbox" checked="" name="x">');
    expect(box(false)).toBe('<input type="checkbox" name="x">');
    expect(box(null)).toBe(box(false));
  });
  test("only raw passes as it is", () => {
    expect(html`${raw("<br>")}${"<br>"}`.toString()).toBe("<br>&lt;br&gt;");
  });
});

describe("the nonce", () => {
  test("goes to scripts and to elements with htmx attributes, and to no others", () => {
    const view = html`<script src="/a.js"></script><p hx-get="/x">${html`<b hx-post="/y"></b>`}</p><i hx-ignore></i><hx-partial hx-target="#a"></hx-partial>`;
    expect(view.render(nonce)).toBe(
      `<script src="/a.js" nonce="${nonce}"></script><p hx-get="/x" hx-nonce="${nonce}"><b hx-post="/y" hx-nonce="${nonce}"></b></p><i hx-ignore></i><hx-partial hx-target="#a"></hx-partial>`,
    );
  });
  test("of another form is refused", () => {
    for (const bad of ["", "short", '"><script>aaaaaaaaaa', "a b c d e f g h i j k"]) {
      expect(() => html`<p></p>`.render(bad)).toThrow(/nonce/);
    }
  });
});
