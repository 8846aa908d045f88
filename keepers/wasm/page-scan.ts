// Finds the pages of a guest's memory that differ from the page store, page by page with memcmp: works for any
// module and costs the same whatever is dirty. docs/dirty-log.md says when it is the better way.

import { PAGE_BYTES } from '../../shared/guest.ts'
import type { DirtyPages, GuestPages } from './guest-pages.ts'

export class PageScan implements DirtyPages {
  find(pages: GuestPages): void {
    for (let page = this.differing(pages); page >= 0; page = this.differing(pages, page + 1)) {
      pages.take(page)
    }
  }

  /** The first known page from `from` on that differs from the store, or -1. */
  differing({ ram, store, known }: GuestPages, from = 0): number {
    for (let page = from, at = from * PAGE_BYTES; page < known; page++, at += PAGE_BYTES) {
      const end = at + PAGE_BYTES
      if (ram.compare(store, at, end, at, end) !== 0) return page
    }
    return -1
  }

  count(): number {
    return 0
  }

  mark(): void {}

  clear(): void {}
}
