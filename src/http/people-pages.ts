/** The pages of people: for admins. */
import type { Elysia } from "elysia";
import {
  type PeopleView,
  type PersonView,
  peoplePage,
  personPage,
  type ShownInvitation,
} from "../../views/people-page.ts";
import { texts } from "../../views/texts/texts.ts";
import { quotaOf } from "../assets/allowances.ts";
import { assert, type FieldFault, Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { type ViewerParts, viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { actorOf } from "./settings.ts";
import { adminOfPage } from "./settings-pages.ts";
import { attempt, done, saidIn } from "./settings-room.ts";
import {
  changePerson,
  inviteAgain,
  makePerson,
  PEOPLE_DOING,
  personOf,
  removePerson,
  toldPeople,
} from "./users.ts";
import { addressFor, visitOf } from "./visit.ts";

type Needs = Pick<Parts, "accounts" | "settings" | "estates"> & ViewerParts;

const HERE = "/settings/people";
const words = texts.people;

export function mountPeoplePages(app: Elysia, parts: Needs): void {
  const admin = (request: Request) => actorOf(adminOfPage(request, PEOPLE_DOING));
  route(app, "GET", HERE, (request) => {
    admin(request);
    return showAll(parts, request, { said: saidIn(request, words.said) });
  });
  route(app, "POST", HERE, (request) => {
    admin(request);
    return add(parts, request);
  });
  route(app, "GET", `${HERE}/:id`, (request, { id = "" }) => {
    admin(request);
    return showOne(parts, request, id, { said: saidIn(request, words.said) });
  });
  const on = (path: string, work: (request: Request, id: string) => Promise<Response> | Response) =>
    route(app, "POST", `${HERE}/:id/${path}`, (request, { id = "" }) => {
      admin(request);
      return work(request, id);
    });
  on("role", async (request, id) => {
    const role = (await readForm(request)).get("role") === "admin" ? "admin" : "member";
    return change(parts, request, id, { role }, "saved");
  });
  on("disable", (request, id) => change(parts, request, id, { disabled: true }, "disabled"));
  on("enable", (request, id) => change(parts, request, id, { disabled: false }, "enabled"));
  on("code", (request, id) => {
    const invitation = inviteAgain(parts, admin(request), id);
    const { name } = personOf(parts, id);
    return showOne(parts, request, id, { invitation: shown(request, name, invitation) });
  });
  on("allowance", (request, id) => allow(parts, request, id));
  on("delete", (request, id) => remove(parts, request, id));
}

function shown(
  request: Request,
  name: string,
  { code, expiresAt }: { code: string; expiresAt: string },
): ShownInvitation {
  const address = addressFor(visitOf(request), `/invitation?code=${code}`);
  return { name, code, address, expiresAt };
}

function showAll(parts: Needs, request: Request, rest: Partial<PeopleView>, status = 200) {
  const view = { people: toldPeople(parts), ...rest };
  return htmlResponse(peoplePage(viewerOf(parts, request), view), status);
}

function showOne(
  parts: Needs,
  request: Request,
  id: string,
  rest: Partial<PersonView>,
  status = 200,
): Response {
  personOf(parts, id);
  const all = toldPeople(parts);
  const [person] = all.filter((each) => each.id === id);
  assert(person !== undefined, "who was found just now is among all");
  const view: PersonView = {
    person,
    heirs: all.filter((each) => each.id !== id).map(({ id: heir, name }) => ({ id: heir, name })),
    estate: parts.estates.of(id),
    ...rest,
  };
  return htmlResponse(personPage(viewerOf(parts, request), view), status);
}

async function add(parts: Needs, request: Request): Promise<Response> {
  const form = await readForm(request);
  const name = form.get("name") ?? "";
  const role = form.get("role") === "admin" ? "admin" : "member";
  const how = form.get("how") === "password" ? "password" : "code";
  const password = how === "password" ? (form.get("password") ?? "") : undefined;
  let invitation: ShownInvitation | null = null;
  const refused = await attempt(async () => {
    const actor = actorOf(adminOfPage(request, PEOPLE_DOING));
    const made = await makePerson(parts, actor, { name, role, password });
    if (made.invitation !== null) invitation = shown(request, made.user.name, made.invitation);
  }, ["name", "password"]);
  if (refused !== null) {
    return showAll(parts, request, { ...refused, typed: { name, role, how } }, refused.status);
  }
  return invitation === null
    ? done(request, HERE, "created")
    : showAll(parts, request, { invitation });
}

async function change(
  parts: Needs,
  request: Request,
  id: string,
  wanted: Parameters<typeof changePerson>[3],
  said: string,
): Promise<Response> {
  const actor = actorOf(adminOfPage(request, PEOPLE_DOING));
  const refused = await attempt(() => changePerson(parts, actor, id, wanted), []);
  if (refused === null) return done(request, `${HERE}/${id}`, said);
  return showOne(parts, request, id, { refused: refused.refused }, refused.status);
}

async function allow(parts: Needs, request: Request, id: string): Promise<Response> {
  const form = await readForm(request);
  const typed = {
    quota: form.get("quota") ?? "",
    uploadDays: form.get("uploadDays") ?? "",
    outputDays: form.get("outputDays") ?? "",
  };
  const faults: FieldFault[] = [];
  const days = (path: "uploadDays" | "outputDays") => {
    const text = typed[path].trim();
    if (text === "") return null;
    if (/^\d{1,5}$/.test(text) && Number(text) <= 36_500) return Number(text);
    faults.push({ path, message: words.daysHint });
    return null;
  };
  const allowance = { uploadDays: days("uploadDays"), outputDays: days("outputDays") };
  let quotaBytes: number | null = null;
  try {
    quotaBytes = quotaOf(typed.quota.trim());
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    faults.push({ path: "quota", message: words.quotaHint });
  }
  if (faults.length > 0) return showOne(parts, request, id, { faults, typed }, 422);
  return change(parts, request, id, { quotaBytes, ...allowance }, "saved");
}

async function remove(parts: Needs, request: Request, id: string): Promise<Response> {
  const form = await readForm(request);
  const person = personOf(parts, id);
  if ((form.get("confirm") ?? "").trim().normalize("NFC") !== person.name) {
    const faults = [{ path: "confirm", message: words.wrongName }];
    return showOne(parts, request, id, { faults }, 422);
  }
  const heir = form.get("files") === "give" ? (form.get("to") ?? "") : null;
  const actor = actorOf(adminOfPage(request, PEOPLE_DOING));
  const refused = await attempt(() => removePerson(parts, actor, id, heir), ["to"]);
  if (refused !== null) return showOne(parts, request, id, refused, refused.status);
  return done(request, HERE, "deleted");
}
