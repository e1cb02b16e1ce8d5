import { HttpError } from "fresh";
import { texts } from "../browser/texts.ts";
import Note from "../components/Note.tsx";
import { define } from "../define.ts";

/** What a person sees instead of a page that is not there or that failed. */
export default define.page(({ error }) => {
  const { notFoundTitle, notFound, failedTitle, failed, home } = texts.errorPage;
  const isMissing = error instanceof HttpError && error.status === 404;
  return (
    <main>
      <Note title={isMissing ? notFoundTitle : failedTitle} text={isMissing ? notFound : failed}>
        <a class="button" href="/">{home}</a>
      </Note>
    </main>
  );
});
