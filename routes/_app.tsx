import { asset } from "fresh/runtime";
import { chooseLanguage } from "../browser/language/choose_language.ts";
import { TEXTS_ELEMENT_ID } from "../browser/language/page_language.ts";
import { define } from "../server/page_context.ts";

/** The HTML document of every page. It ends with the texts that the islands read. */
export default define.page(({ Component, req }) => {
  const { texts } = chooseLanguage(req);
  return (
    <html lang={texts.locale}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{texts.pages.billing.title}</title>
        <link rel="stylesheet" href={asset("/style.css")} />
        <link rel="icon" href="data:," />
      </head>
      <body>
        <Component />
        <script
          id={TEXTS_ELEMENT_ID}
          type="application/json"
          // deno-lint-ignore react-no-danger -- the project's own texts, with < escaped
          dangerouslySetInnerHTML={{ __html: JSON.stringify(texts).replaceAll("<", "\\u003c") }}
        />
      </body>
    </html>
  );
});
