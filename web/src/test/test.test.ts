import { expect, it } from "vitest";
import { ticksOf } from "./ticks";
import { warningsOf } from "./warnings";

const result = (more: object) =>
  ({
    logs: [],
    slices: [],
    test_read_limit_reached: false,
    inferred_schema: null,
    inferred_datetime_formats: null,
    latest_config_update: null,
    ...more,
  }) as never;
const stream = { primaryKey: ["id"], usesCustomCode: false };
const page = (status: number, records: object[]) => ({ records, request: null, response: { status } });

it.each([
  ["nothing answered", {}, ["There was no response."]],
  ["an error", { slices: [{ pages: [page(403, [])] }] }, ["The API answered 403."]],
  [
    "no records",
    { slices: [{ pages: [page(200, [])] }] },
    ["The responses held no records. Is “Where the records are” right?"],
  ],
  [
    "limits",
    { slices: [{ pages: [page(200, [{}])] }], test_read_limit_reached: true },
    ["The limits of the test were reached: a sync reads more."],
  ],
])("warns of %s", (_, more, expected) =>
  expect(warningsOf(result(more), stream).map((one) => one.text)).toEqual(expected),
);

it("rules with round numbers", () => {
  expect(ticksOf(840)).toEqual([0, 200, 400, 600, 800]);
  expect(ticksOf(0)).toEqual([0]);
});
