/** What goes by itself, and who may keep how much: for admins. */
import { z } from "zod";
import type { User } from "../accounts/accounts.ts";
import type { Swept } from "../assets/sweep.ts";
import { Refusal } from "../trouble.ts";
import { adminOfCall, type Endpoint, endpoint, idOf, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";

/** Days of a hundred years. */
const DAYS_MAX = 36_500;

const sweptShape: z.ZodType<Swept> = z
  .strictObject({
    id: z.string(),
    ownerId: z.string(),
    name: z.string(),
    sizeBytes: z.int(),
    since: z.iso.datetime().describe("When it expired, or when it went into the bin"),
  })
  .meta({ id: "Swept" });

const reportFields = {
  expired: z.array(sweptShape).describe("Into the bin; where there is none, for ever"),
  deleted: z.array(sweptShape).describe("Long enough in the bin: for ever"),
  inUse: z.int().describe("Expired, but an unfinished job reads them"),
  more: z.boolean().describe("There is more than one round takes"),
};

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

const personShape = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    role: z.enum(["admin", "member"]),
    createdAt: z.iso.datetime(),
    usage: usageShape,
    allowance: allowanceShape,
  })
  .meta({ id: "Person" });

const changeShape = z
  .strictObject({
    quotaBytes: z.int().min(0).nullable(),
    uploadDays: z.int().min(0).max(DAYS_MAX).nullable(),
    outputDays: z.int().min(0).max(DAYS_MAX).nullable(),
  })
  .partial()
  .meta({ id: "AllowanceChange" });

const admins = { 403: { description: "`forbidden`: only an admin may." } };

type Needs = Pick<Parts, "library" | "sweep" | "accounts">;

export function retentionEndpoints(parts: Needs): Endpoint[] {
  return [...sweepEndpoints(parts), ...peopleEndpoints(parts)];
}

function sweepEndpoints({ library, sweep }: Needs): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/system/retention",
      tag: "system",
      summary: "The rules, and what the next sweep would take.",
      answers: {
        200: {
          description: "Nothing is touched.",
          schema: z.strictObject({
            rules: z.strictObject({
              binDays: z.int(),
              uploadDays: z.int(),
              outputDays: z.int(),
              quotaBytes: z.int(),
            }),
            ...reportFields,
          }),
        },
        ...admins,
      },
      handle: (call) => {
        adminOfCall(call, "look at this or change it");
        const { binDays, uploadDays, outputDays, quotaBytes } = library.allowances.settings;
        const rules = { binDays, uploadDays, outputDays, quotaBytes };
        return json({ rules, ...sweep.plan() });
      },
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/system/sweep",
      tag: "system",
      summary: "Sweep now, or say what a sweep would take.",
      description: "For admins. It happens by itself every ten minutes.",
      body: z.strictObject({ dryRun: z.boolean().default(false) }),
      answers: {
        200: {
          description: "What went, or would go.",
          schema: z.strictObject({ dryRun: z.boolean(), ...reportFields }),
        },
        ...admins,
        409: { description: "`sweeping`: a sweep is under way." },
      },
      handle: async (call) => {
        adminOfCall(call, "look at this or change it");
        const { dryRun } = call.body;
        return json({ dryRun, ...(dryRun ? sweep.plan() : await sweep.round()) });
      },
    }),
  ];
}

function peopleEndpoints({ library, accounts }: Needs): Endpoint[] {
  const { allowances } = library;
  const person = ({ id, name, role, createdAt }: User) => ({
    ...{ id, name, role, createdAt },
    usage: allowances.usage(id),
    allowance: allowances.of(id),
  });
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/me",
      tag: "system",
      summary: "Who asks, how much they keep, and how much they may.",
      answers: { 200: { description: "You.", schema: personShape } },
      handle: (call) => json(person(userOfCall(call))),
    }),
    endpoint({
      method: "GET",
      path: "/api/v1/users",
      tag: "system",
      summary: "Everybody who has an account, with what they keep.",
      answers: {
        200: {
          description: "In the order of creation.",
          schema: z.strictObject({ items: z.array(personShape) }),
        },
        ...admins,
      },
      handle: (call) => {
        adminOfCall(call, "look at this or change it");
        return json({ items: accounts.listUsers().map(person) });
      },
    }),
    endpoint({
      method: "PATCH",
      path: "/api/v1/users/:id",
      tag: "system",
      summary: "Allow somebody more or less than the settings do.",
      body: changeShape,
      answers: {
        200: { description: "As it is now.", schema: personShape },
        ...admins,
        404: { description: "`no_such_user`" },
      },
      handle: (call) => {
        adminOfCall(call, "look at this or change it");
        const user = accounts.listUsers().find(({ id }) => id === idOf(call));
        if (user === undefined) throw new Refusal(404, "no_such_user", "There is no such user.");
        allowances.change(user.id, defined(call.body));
        return json(person(user));
      },
    }),
  ];
}

/** What was named, without what was left out. */
function defined<T extends object>(change: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const named = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(named) as { [K in keyof T]: Exclude<T[K], undefined> };
}
