import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { storedSignal } from "../state/stored";

const share = storedSignal("split", 0.44);
const bounded = (value: number) => Math.min(0.72, Math.max(0.26, value));

/** Two panes with a border between them that can be dragged, or moved with the arrow keys. */
export function Split({ left, right }: { left: ComponentChildren; right: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  const drag = (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement;
    handle.setPointerCapture(event.pointerId);
    const move = (at: PointerEvent) => {
      const bounds = box.current?.getBoundingClientRect();
      if (bounds) share.value = bounded((bounds.right - at.clientX) / bounds.width);
    };
    const end = () => handle.removeEventListener("pointermove", move);
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", end, { once: true });
  };
  const keys = (event: KeyboardEvent) => {
    const step = event.key === "ArrowLeft" ? 0.02 : event.key === "ArrowRight" ? -0.02 : 0;
    if (step) share.value = bounded(share.value + step);
  };
  return (
    <div class="split" ref={box} style={{ gridTemplateColumns: `minmax(0, 1fr) 1px minmax(0, ${share.value * 100}%)` }}>
      {left}
      <div
        class="split-handle"
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the test pane"
        tabIndex={0}
        aria-valuenow={Math.round(share.value * 100)}
        aria-valuemin={26}
        aria-valuemax={72}
        onPointerDown={drag}
        onKeyDown={keys}
        onDblClick={() => (share.value = 0.44)}
      />
      {right}
    </div>
  );
}
