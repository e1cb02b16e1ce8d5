import type { ComponentChildren } from "preact";
import { conversation, say } from "./conversation.ts";
import { pageLanguage } from "../../browser/language/page_language.ts";

/**
 * A conversation with an assistant that repeats what it hears. The children are the content of the form, which the
 * server has rendered.
 */
export default function Assistant({ children }: { children: ComponentChildren }) {
  return (
    <section class="card assistant">
      <div role="log">
        <ul class="conversation">
          {conversation.value.map((text, n) => (
            <Line
              key={n}
              from={n % 2 ? "assistant" : "you"}
              text={text}
            />
          ))}
        </ul>
      </div>
      <form onSubmit={send}>{children}</form>
    </section>
  );
}

function Line({ from, text }: { from: "you" | "assistant"; text: string }) {
  return (
    <li data-from={from}>
      <span class="visually-hidden">{pageLanguage().texts.assistant[from]}:</span> {text}
    </li>
  );
}

async function send(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const text = String(new FormData(form).get("text")).trim();
  if (text !== "" && await say(text)) form.reset();
}
