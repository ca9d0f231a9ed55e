/** XML as manifests have it: elements, attributes, text. No namespaces but names, no entities but the five. */

export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

/** @throws Error for what is not well-formed */
export function parseXml(source: string): XmlElement {
  const holder: XmlElement = { name: "", attributes: {}, children: [], text: "" };
  const open: XmlElement[] = [holder];
  const top = () => open.at(-1) ?? holder;
  const tokens = /<\?[^>]*\?>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  let end = 0;
  for (const [whole, closing, name = "", attributes = "", empty, text] of source.matchAll(tokens)) {
    end += whole.length;
    if (text !== undefined) top().text += unescaped(text.trim());
    else if (closing === "/") {
      if (open.pop()?.name !== name) throw new Error(`</${name}> ends something else`);
    } else if (name !== "") {
      const element = { name, attributes: readAttributes(attributes), children: [], text: "" };
      top().children.push(element);
      if (empty === "") open.push(element);
    }
  }
  const [root, ...more] = holder.children;
  if (end !== source.length || open.length !== 1 || root === undefined || more.length > 0) {
    throw new Error("it is no well-formed XML");
  }
  return root;
}

function readAttributes(text: string): Record<string, string> {
  const pairs = Array.from(text.matchAll(/([\w:.-]+)="([^"]*)"/g), ([, name = "", value = ""]) => {
    return [name, unescaped(value)] as const;
  });
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length)
    throw new Error(`twice in ${text}`);
  return Object.fromEntries(pairs);
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => {
    const found = entities[name];
    if (found === undefined) throw new Error(`${whole} is no entity`);
    return found;
  });
}

export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}
