import { uneval } from "devalue"; export const x = uneval; import * as es from "esbuild"; export const esv = es.version;
