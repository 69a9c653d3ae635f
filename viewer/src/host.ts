/** Who draws the page inside something else, as a notebook: what is selected goes both ways. */

import type { Selection } from "./state";

export interface Host {
  readonly selection: Selection | null;
  readonly isDark?: boolean; // where the host is not what the reader's system asks for
  readonly select: (selection: Selection | null) => void;
}
