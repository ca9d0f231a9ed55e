/**
 * When a field of a form counts: declared beside its schema, as `.meta({ when: [is("codec", "prores")] })`, so that
 * an operation says all of itself in one place. A form hides a field whose conditions do not hold and does not send it.
 */

/**
 * Holds while the field has one of the values, or none of them. "" is nothing given: an empty field, an optional
 * object that is not there, and a field that does not count itself.
 */
export interface When {
  /** Dotted, from the object in which the field stands; with a leading `/` from the parameters' root. */
  field: string;
  values: string[];
  not: boolean;
}

export function is(field: string, ...values: string[]): When {
  return { field, values, not: false };
}

export function isNot(field: string, ...values: string[]): When {
  return { field, values, not: true };
}

/** Something stands in the field, whatever it is. */
export function given(field: string): When {
  return isNot(field, "");
}

export function notGiven(field: string): When {
  return is(field, "");
}

/** A condition as a form has it: on a whole path. */
export interface FieldCondition {
  path: string;
  values: string[];
  /** True: it holds with any other value; absent: with one of these. */
  not?: boolean;
}

/** @param path of the object in which the field stands */
export function conditionAt({ field, values, not }: When, path: readonly string[]): FieldCondition {
  const whole = field.startsWith("/") ? field.slice(1) : [...path, field].join(".");
  return { path: whole, values, ...(not ? { not } : {}) };
}

/** @param value what stands in the field; "" where nothing does, and where the field itself does not count */
export function holds({ values, not = false }: FieldCondition, value: string): boolean {
  return values.includes(value) !== not;
}
