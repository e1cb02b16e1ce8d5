import { asset } from "fresh/runtime";
import { texts } from "../browser/texts.ts";
import { define } from "../define.ts";

/** The document around every page. */
export default define.page(({ Component }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>{texts.pageTitle}</title>
      <link rel="stylesheet" href={asset("/style.css")} />
      <link rel="icon" href="data:," />
    </head>
    <body>
      <Component />
    </body>
  </html>
));
