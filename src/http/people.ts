/** The people of the box on its page: how much each keeps, and may keep. For admins. */
import type { Elysia } from "elysia";
import { type PersonView, peoplePanel } from "../../views/people.ts";
import { quotaOf } from "../assets/allowances.ts";
import { Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { adminOfCall, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import type { Parts } from "./parts.ts";
import { isHtmx, visitOf } from "./visit.ts";

type Needs = Pick<Parts, "library" | "accounts">;

export function peopleView({ library, accounts }: Needs): PersonView[] {
  const { allowances } = library;
  return accounts.listUsers().map(({ id, name }) => ({
    ...{ id, name, usage: allowances.usage(id) },
    ownQuotaBytes: allowances.of(id).quotaBytes,
  }));
}

export function mountPeopleFragments(app: Elysia, parts: Needs): void {
  route(app, "GET", "/ui/system/people", (request) => {
    adminOfCall({ visit: visitOf(request) }, "see how much others keep");
    return htmlResponse(peoplePanel(peopleView(parts)));
  });
  route(app, "POST", "/ui/users/:id/quota", async (request, { id = "" }) => {
    adminOfCall({ visit: visitOf(request) }, "give a quota");
    const quotaBytes = quotaOf((await readForm(request)).get("quota") ?? "");
    const known = parts.accounts.listUsers().some((user) => user.id === id);
    if (!known) throw new Refusal(404, "no_such_user", "There is no such user.");
    parts.library.allowances.change(id, { quotaBytes });
    return isHtmx(request)
      ? new Response(null, { status: 204, headers: { "hx-trigger": "people" } })
      : new Response(null, { status: 303, headers: { location: "/system" } });
  });
}
