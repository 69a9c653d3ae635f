/** The key to the colours: a bar with round numbers, and what could not be placed on it. */

import { css, position, viridis, type ColourScale } from "../colours";
import { formatted, pointsOf, ticks } from "../numbers";

const STOPS = Array.from({ length: 17 }, (_, i) => css(viridis(i / 16))).join(", ");

export function ColourBar({ scale }: { readonly scale: ColourScale }) {
  const isEmpty = scale.low > scale.high;
  const marks = isEmpty ? [] : ticks(scale.low, scale.high, scale.scale, 6);
  const title = scale.unit ? `${scale.label} (${scale.unit})` : scale.label;
  return (
    <div class="bar" data-low={scale.low} data-high={scale.high} data-scale={scale.scale} data-missing={scale.missing}>
      <p class="bar-title">
        <span><strong>{title}</strong>{scale.scale === "log" && <span class="quiet">, log scale</span>}</span>
        {(scale.missing > 0 || isEmpty) && (
          <span class="note"><span class="swatch missing" />grey: no value ({pointsOf(scale.missing)})</span>
        )}
        {scale.clipped > 0 && <span class="note">0 or less ({pointsOf(scale.clipped)}): lowest colour</span>}
      </p>
      {!isEmpty && (
        <>
          <div class="ramp" style={{ background: `linear-gradient(to right, ${STOPS})` }} />
          <div class="ticks" aria-hidden="true">
            {marks.map((mark) => (
              <span key={mark} style={{ left: `${100 * position(scale, mark)}%` }}>{formatted(mark)}</span>
            ))}
          </div>
        </>
      )}
    </div>
  );
}
