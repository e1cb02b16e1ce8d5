import { z } from "zod";
import { passes } from "../wire/pagination.ts";
import { paginateV2, paginationV2 } from "../wire/pagination_v2.ts";
import { isoTimestamp, list, text } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v2/core/events";
const bound = isoTimestamp().optional();

export const thinEventEndpoints = [
  endpoint(`GET ${path}`, {
    ...paginationV2,
    created: z.strictObject({ gt: bound, gte: bound, lt: bound, lte: bound }).optional(),
    object_id: text().optional(),
    types: list(text()).optional(),
  }, ({ account, params }) => {
    const { created, object_id: about, types } = params;
    const found = account.thinEvents.newestFirst().filter((event) =>
      (about === undefined || event.related_object?.id === about) &&
      (types === undefined || types.includes(event.type)) &&
      passes(Date.parse(event.created) / 1000, created)
    );
    const query: [string, string][] = [
      ...(about === undefined ? [] : [["object_id", about] satisfies [string, string]]),
      ...(types ?? []).map((type, index): [string, string] => [`types[${index}]`, type]),
      ...Object.entries(created ?? {}).map(([name, value]): [string, string] => [
        `created[${name}]`,
        new Date(value * 1000).toISOString(),
      ]),
    ];
    return paginateV2(found, params, path, query);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.thinEvents.get(id)),
];
