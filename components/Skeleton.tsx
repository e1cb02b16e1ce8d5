/**
 * A placeholder of about the plan's height, so that the layout hardly shifts when the plan is loaded. Screen readers
 * read `label`.
 */
export default function Skeleton({ label }: { label: string }) {
  return (
    <div aria-busy="true">
      <p class="visually-hidden">{label}</p>
      <div class="card skeleton" aria-hidden="true">
        <span class="line short" />
        <span class="line title" />
        <div class="meters">
          {[1, 2].map((meter) => (
            <div key={meter} class="meter">
              <span class="line" />
              <span class="line" />
              <span class="line thin" />
            </div>
          ))}
        </div>
      </div>
      <div class="cards" aria-hidden="true">
        {[1, 2].map((plan) => (
          <div key={plan} class="card skeleton">
            <span class="line title" />
            <span class="line" />
            <span class="line" />
          </div>
        ))}
      </div>
    </div>
  );
}
