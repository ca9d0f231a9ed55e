/** Who has an account: made, invited, changed, taken away. For admins, but for what everybody sees of themselves. */
import { z } from "zod";
import { type Invitation, type Person, roles, type User } from "../accounts/accounts.ts";
import type { Allowance } from "../assets/allowances.ts";
import type { Actor } from "../settings/acts.ts";
import { Refusal } from "../trouble.ts";
import { adminOfCall, type Endpoint, endpoint, idOf, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import { actorOf } from "./settings.ts";

/** As it stands behind "Only an admin may". */
export const PEOPLE_DOING = "look at this or change it";

/** Days of a hundred years. */
const DAYS_MAX = 36_500;

const usageShape = z
  .strictObject({
    usedBytes: z.int().describe("The bin included"),
    binnedBytes: z.int(),
    assetCount: z.int(),
    quotaBytes: z.int().nullable().describe("Null for no limit"),
  })
  .meta({ id: "Usage" });

const said = (what: string) => z.int().min(0).nullable().describe(what);

const allowanceShape = z
  .strictObject({
    quotaBytes: said("0: no limit; null: as retention.quotaBytes says"),
    uploadDays: said("0: never; null: as retention.uploadDays says"),
    outputDays: said("0: never; null: as retention.outputDays says"),
  })
  .meta({ id: "Allowance" });

const time = (what: string) => z.iso.datetime().nullable().describe(what);

const personShape = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    role: z.enum(roles),
    createdAt: z.iso.datetime(),
    disabledAt: time("Null: they may come in"),
    lastSeenAt: time("To the minute"),
    invitedUntil: time("Until when their code holds; null when there is none"),
    hasPassword: z.boolean().describe("False until an invitation was accepted"),
    usage: usageShape,
    allowance: allowanceShape,
  })
  .meta({ id: "Person" });

const changeShape = z
  .strictObject({
    role: z.enum(roles),
    disabled: z.boolean().describe("Logins end, tokens rest, jobs go on"),
    quotaBytes: z.int().min(0).nullable(),
    uploadDays: z.int().min(0).max(DAYS_MAX).nullable(),
    outputDays: z.int().min(0).max(DAYS_MAX).nullable(),
  })
  .partial()
  .meta({ id: "PersonChange" });
export type PersonChange = z.output<typeof changeShape>;

const newShape = z
  .strictObject({
    name: z.string().max(200),
    role: z.enum(roles).default("member"),
    password: z
      .string()
      .max(2000)
      .optional()
      .describe("Absent: they set one themselves, with the code of the answer"),
  })
  .meta({ id: "NewPerson" });

const invitationShape = z
  .strictObject({
    code: z.string().describe("For /invitation on this server; told this once"),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: "Invitation" });

const goneQuery = z.strictObject({
  files: z.enum(["give", "delete"]).describe("What becomes of files and jobs"),
  to: z.string().max(100).optional().describe("Id of the heir, with files=give"),
});

const admins = { 403: { description: "`forbidden`: only an admin may." } };
const missing = { 404: { description: "`no_such_user`" } };
const lastAdmin = "`last_admin`: nobody else could let others in.";

type Needs = Pick<Parts, "library" | "accounts" | "settings" | "estates">;
/** Somebody with what they keep, as the API tells of them. */
export type ToldPerson = z.output<typeof personShape>;

export function userEndpoints(parts: Needs): Endpoint[] {
  return [...lookEndpoints(parts), ...changeEndpoints(parts), goneEndpoint(parts)];
}

export function toldPeople({
  library,
  accounts,
}: Pick<Needs, "library" | "accounts">): ToldPerson[] {
  const { allowances } = library;
  return accounts.listPeople().map((person) => ({
    ...person,
    usage: allowances.usage(person.id),
    allowance: allowances.of(person.id),
  }));
}

/** @throws Refusal 404 `no_such_user` */
export function personOf(parts: Pick<Needs, "accounts">, id: string): Person {
  const person = parts.accounts.listPeople().find((each) => each.id === id);
  if (person === undefined) throw new Refusal(404, "no_such_user", "There is no such user.");
  return person;
}

function told(parts: Needs, id: string): ToldPerson {
  const { allowances } = parts.library;
  return { ...personOf(parts, id), usage: allowances.usage(id), allowance: allowances.of(id) };
}

function lookEndpoints(parts: Needs): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/me",
      tag: "account",
      summary: "Who asks, how much they keep, and how much they may.",
      answers: { 200: { description: "You.", schema: personShape } },
      handle: (call) => json(told(parts, userOfCall(call).id)),
    }),
    endpoint({
      method: "GET",
      path: "/api/v1/users",
      tag: "people",
      summary: "Everybody who has an account, with what they keep.",
      answers: {
        200: {
          description: "In the order of creation.",
          schema: z.strictObject({ items: z.array(personShape) }),
        },
        ...admins,
      },
      handle: (call) => {
        adminOfCall(call, PEOPLE_DOING);
        return json({ items: toldPeople(parts) });
      },
    }),
  ];
}

function changeEndpoints(parts: Needs): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/api/v1/users",
      tag: "people",
      summary: "Make an account: with a password, or by invitation.",
      description: "For admins. Without a password the answer has a code that holds a week.",
      body: newShape,
      answers: {
        201: {
          description: "The person, and the code of the invitation or null.",
          schema: z.strictObject({ person: personShape, invitation: invitationShape.nullable() }),
        },
        ...admins,
        409: { description: "`name_taken`, `too_many_users`" },
        422: { description: "`invalid_name`, `invalid_password`" },
      },
      handle: async (call) => {
        const actor = actorOf(adminOfCall(call, PEOPLE_DOING));
        const { user, invitation } = await makePerson(parts, actor, call.body);
        return json({ person: told(parts, user.id), invitation }, 201);
      },
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/users/:id/invitation",
      tag: "people",
      summary: "A code with which somebody sets a new password.",
      description: "For admins. Earlier codes end; the present password works until it is used.",
      answers: {
        201: { description: "The code.", schema: invitationShape },
        ...admins,
        ...missing,
      },
      handle: (call) => {
        const actor = actorOf(adminOfCall(call, PEOPLE_DOING));
        return json(inviteAgain(parts, actor, idOf(call)), 201);
      },
    }),
    endpoint({
      method: "PATCH",
      path: "/api/v1/users/:id",
      tag: "people",
      summary: "Another role, disabled or not, another quota or other times than the settings say.",
      body: changeShape,
      answers: {
        200: { description: "As they are now.", schema: personShape },
        ...admins,
        ...missing,
        409: { description: lastAdmin },
      },
      handle: (call) => {
        const actor = actorOf(adminOfCall(call, PEOPLE_DOING));
        changePerson(parts, actor, idOf(call), call.body);
        return json(told(parts, idOf(call)));
      },
    }),
  ];
}

function goneEndpoint(parts: Needs): Endpoint {
  return endpoint({
    method: "DELETE",
    path: "/api/v1/users/:id",
    tag: "people",
    summary: "Take an account away; its files go to somebody else, or for ever.",
    description:
      "For admins. Logins, tokens and presets go. A call that was interrupted is made again: until it is done, the account is disabled.",
    query: goneQuery,
    answers: {
      204: { description: "It is gone." },
      ...admins,
      ...missing,
      409: { description: `${lastAdmin} \`unfinished\`: jobs or imports run or wait.` },
    },
    handle: async (call) => {
      const actor = actorOf(adminOfCall(call, PEOPLE_DOING));
      const { files, to } = call.query;
      await removePerson(parts, actor, idOf(call), files === "give" ? (to ?? "") : null);
      return new Response(null, { status: 204 });
    },
  });
}

/** Makes an account. @throws Refusal as `createUser` */
export async function makePerson(
  { accounts, settings }: Needs,
  actor: Actor,
  wish: { name: string; role: User["role"]; password?: string | undefined },
): Promise<{ user: User; invitation: Omit<Invitation, "user"> | null }> {
  const { name, role, password } = wish;
  if (password === undefined) {
    const { user, ...invitation } = accounts.invite(name, role);
    settings.acts.note(actor, "user.invited", user.name, { role });
    return { user, invitation };
  }
  const user = await accounts.createUser(name, role, password);
  settings.acts.note(actor, "user.created", user.name, { role });
  return { user, invitation: null };
}

/** Another code. @throws Refusal 404 `no_such_user` */
export function inviteAgain(
  { accounts, settings }: Needs,
  actor: Actor,
  id: string,
): Omit<Invitation, "user"> {
  const { user, ...invitation } = accounts.inviteAgain(id);
  settings.acts.note(actor, "user.reset", user.name);
  return invitation;
}

/** What was named is changed; what is so already is no act. @throws Refusal 404 `no_such_user`, 409 `last_admin` */
export function changePerson(
  { accounts, settings, library }: Needs,
  actor: Actor,
  id: string,
  { role, disabled, ...rest }: PersonChange,
): void {
  const person = personOf({ accounts }, id);
  const { acts } = settings;
  if (role !== undefined && role !== person.role) {
    accounts.setRole(id, role);
    acts.note(actor, "user.role", person.name, { before: person.role, after: role });
  }
  if (disabled !== undefined && disabled !== (person.disabledAt !== null)) {
    accounts.setDisabled(id, disabled);
    acts.note(actor, disabled ? "user.disabled" : "user.enabled", person.name);
  }
  const allowance = defined(rest) as Partial<Allowance>;
  if (Object.keys(allowance).length === 0) return;
  library.allowances.change(id, allowance);
  acts.note(actor, "user.allowance", person.name, allowance);
}

/**
 * Takes somebody away.
 * @param heirId who gets their files; null: they go for ever
 * @throws Refusal 404 `no_such_user`, 409 `last_admin`, `unfinished`, 422 `invalid_heir`
 */
export async function removePerson(
  { accounts, settings, estates }: Needs,
  actor: Actor,
  id: string,
  heirId: string | null,
): Promise<void> {
  const person = personOf({ accounts }, id);
  const heir = heirId === null ? null : accounts.listUsers().find((user) => user.id === heirId);
  if (heir === undefined || heir?.id === id) {
    const message = "must be somebody else who has an account";
    throw new Refusal(422, "invalid_heir", `Whoever gets the files ${message}.`, {
      errors: [{ path: "to", message }],
    });
  }
  accounts.refuseLastAdmin(id);
  estates.refuseUnfinished(id);
  const left = estates.of(id);
  // Nothing new begins while it goes on.
  accounts.setDisabled(id, true);
  if (heir === null) await estates.deleteAll(id);
  else estates.give(id, heir.id);
  accounts.removeUser(id);
  const { assets, bytes } = left;
  const files = heir === null ? { deleted: assets } : { given: assets, to: heir.name };
  settings.acts.note(actor, "user.deleted", person.name, { ...files, bytes });
}

/** What was named, without what was left out. */
function defined<T extends object>(change: T): Partial<T> {
  const named = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(named) as Partial<T>;
}
