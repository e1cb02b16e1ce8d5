import { HttpError } from "fresh";
import { chooseLanguage } from "../../browser/language/choose_language.ts";
import Note from "../../components/Note.tsx";
import { define } from "../../server/page_context.ts";

/** The error page for a page that does not exist or that failed. */
export default define.page(({ error, req }) => {
  const { notFoundTitle, notFound, failedTitle, failed, home } = chooseLanguage(req).texts.errorPage;
  const isMissing = error instanceof HttpError && error.status === 404;
  return (
    <main>
      <Note title={isMissing ? notFoundTitle : failedTitle} text={isMissing ? notFound : failed}>
        <a class="button" href="/">{home}</a>
      </Note>
    </main>
  );
});
