import type { ComponentChildren } from "preact";

interface NoteProps {
  title?: string;
  text: string;
  tone?: "calm" | "warning";
  children?: ComponentChildren;
}

/** A framed sentence or two, with room for what to do about it. */
export default function Note({ title, text, tone = "calm", children }: NoteProps) {
  return (
    <div class="note" data-tone={tone}>
      {title && <h2>{title}</h2>}
      <p>{text}</p>
      {children}
    </div>
  );
}
