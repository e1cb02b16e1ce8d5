// The entry point for a `<script>` tag. The options are the tag's data attributes.

import { connectDues } from "./dues_parent.ts";

const { pluginOrigin = "", extraOpenOrigins } = document.currentScript?.dataset ?? {};
connectDues({ pluginOrigin, extraOpenOrigins: extraOpenOrigins?.split(/\s+/).filter(Boolean) });
