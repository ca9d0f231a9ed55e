/**
 * How long requests took. It stands in the way of every request, so it counts in plain arrays: prom-client's own
 * histogram hashes its labels for each value, which costs a twentieth of a small answer.
 */
import type { Registry } from "prom-client";
import { methodLabel, statusLabel } from "./labels.ts";

/** Seconds. Reads of the API take some hundred microseconds, pages some milliseconds, uploads minutes. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10, 60] as const;

/** What no route answered: a foreign path, a refusal at the door. */
const noRoute = "none";

/** Further ones would be a mistake: routes are written in the program. */
const ROUTES_MAX = 512;

class Cell {
  readonly counts = new Float64Array(bounds.length + 1);
  sum = 0;
}

export class HttpMeter {
  /** By route, then by method and status. */
  private readonly routes = new Map<string, Map<string, Map<number, Cell>>>();

  /**
   * Notes a request that was answered.
   * @param route the pattern (`/api/v1/jobs/:id`), never the path; null when no route took it
   * @param durationMs until the head of the answer was ready
   */
  note(route: string | null, method: string, status: number, durationMs: number): void {
    const cell = this.cellOf(route ?? noRoute, method, Math.floor(status / 100));
    const seconds = durationMs / 1000;
    let place = 0;
    while (place < bounds.length && seconds > (bounds[place] ?? 0)) place += 1;
    cell.counts[place] = (cell.counts[place] ?? 0) + 1;
    cell.sum += seconds;
  }

  private cellOf(route: string, method: string, status: number): Cell {
    const known = this.routes.get(route)?.get(method)?.get(status);
    return known ?? this.newCell(route, methodLabel(method), status);
  }

  /** Also for a method that is in no list: it is found under its label. */
  private newCell(route: string, method: string, status: number): Cell {
    const name = this.routes.size < ROUTES_MAX || this.routes.has(route) ? route : noRoute;
    const methods = this.routes.get(name) ?? new Map<string, Map<number, Cell>>();
    const statuses = methods.get(method) ?? new Map<number, Cell>();
    const cell = statuses.get(status) ?? new Cell();
    statuses.set(status, cell);
    methods.set(method, statuses);
    this.routes.set(name, methods);
    return cell;
  }

  register(registry: Registry): void {
    const name = "kinomill_http_request_duration_seconds";
    const help = "Time until the head of an answer was ready, by route pattern.";
    const histogram = {
      ...{ name, help, type: "histogram" as const, aggregator: "sum" as const },
      get: () => Promise.resolve({ ...histogram, values: this.values(name) }),
    };
    registry.registerMetric(histogram as unknown as Parameters<Registry["registerMetric"]>[0]);
  }

  private values(name: string) {
    const values: { metricName: string; labels: Record<string, string>; value: number }[] = [];
    for (const [route, methods] of this.routes) {
      for (const [method, statuses] of methods) {
        for (const [status, cell] of statuses) {
          const labels = { route, method, status: statusLabel(status * 100) };
          let total = 0;
          cell.counts.forEach((count, place) => {
            total += count;
            const le = place < bounds.length ? String(bounds[place]) : "+Inf";
            values.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: total });
          });
          values.push({ metricName: `${name}_sum`, labels, value: cell.sum });
          values.push({ metricName: `${name}_count`, labels, value: total });
        }
      }
    }
    return values;
  }
}
