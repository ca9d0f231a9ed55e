/** Which job sits on which device, as far as the one who looks may know: own jobs by name, of others their person for admins. */
import type { SeatView } from "../../views/devices.ts";
import type { User } from "../accounts/accounts.ts";
import type { Seat } from "../runners/slots.ts";
import { findJob } from "./entries.ts";
import type { Parts } from "./parts.ts";

/** With the id of the device. */
export interface SeatShown extends SeatView {
  device: string;
}

type Needs = Pick<Parts, "seats" | "jobs" | "accounts" | "operations" | "clock">;

/** All that are taken now. */
export function seatsFor(parts: Needs, viewer: Pick<User, "id" | "role">): SeatShown[] {
  const seats = parts.seats();
  const others = seats.some(({ occupant }) => occupant !== null && occupant.ownerId !== viewer.id);
  const users = others && viewer.role === "admin" ? parts.accounts.listUsers() : [];
  return seats.map((seat) => shown(parts, viewer, seat, users));
}

function shown(
  parts: Needs,
  viewer: Pick<User, "id" | "role">,
  seat: Seat,
  users: readonly User[],
): SeatShown {
  const { deviceId, sessions, decoders, takenAtMs, lent, occupant } = seat;
  const common = {
    ...{ device: deviceId, sessions, decoders, paused: lent },
    seconds: Math.round((parts.clock.monotonicMs() - takenAtMs) / 1000),
  };
  const nothing = { job: null, operation: null, step: null, progressPercent: null, user: null };
  if (occupant === null) return { ...common, ...nothing };
  const mine = occupant.ownerId === viewer.id;
  if (!mine && viewer.role !== "admin") return { ...common, ...nothing };
  const job = findJob(parts as Parts, occupant.ownerId, occupant.jobId);
  const operation = parts.operations.find(({ name }) => name === job?.operation);
  return {
    ...common,
    job: mine && job !== null ? { id: job.id, title: job.title } : null,
    operation: operation?.title ?? job?.operation ?? null,
    step: occupant.step,
    progressPercent: job?.progressPercent ?? null,
    user: mine ? null : (users.find(({ id }) => id === occupant.ownerId)?.name ?? null),
  };
}
