/** Who draws the page inside something else, as a notebook: what is selected goes both ways. */

import type { Selection } from "./state";

export interface Host {
  readonly selection: Selection | null;
  readonly select: (selection: Selection | null) => void;
}
