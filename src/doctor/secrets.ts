/** Secrets that cannot be opened any more, and settings that name one that is not there. */
import type { Box, Finding } from "./finding.ts";

export function secretFindings({ secrets }: Box): Finding[] {
  const common = { id: "secrets", title: "Secrets" };
  if (secrets === undefined || secrets === null) return [];
  const { broken, missing, count, trouble } = secrets;
  if (trouble !== null) {
    const remedy =
      "Bring the key back from where it is kept, or set the secrets anew: docs/operating.md, Secrets";
    return [{ ...common, level: "fault", meaning: trouble, remedy }];
  }
  const findings = [...broken, ...missing].map((name): Finding => {
    const why = broken.includes(name)
      ? "cannot be opened: its key is lost or another one, or it is damaged"
      : "is named by a setting and not there";
    return {
      ...common,
      id: `secrets.${name}`,
      level: "fault",
      meaning: `The secret ${name} ${why}.`,
      remedy: `Bring back the key of the secrets, or set it anew: kinomill secret set ${name}`,
    };
  });
  if (findings.length > 0) return findings;
  if (count === 0) return [];
  const meaning = `${count === 1 ? "One secret is" : `${count} secrets are`} kept sealed, and can be opened.`;
  return [{ ...common, level: "ok", meaning, remedy: null }];
}
