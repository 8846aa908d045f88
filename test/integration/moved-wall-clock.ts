// Loaded into a daemon ahead of everything else, in each of its threads: its host's wall clock is off by as many
// milliseconds as a file says, now. The query of this module's URL names the file.

import { readFileSync } from 'node:fs'

const file = new URL(import.meta.url).searchParams.get('file') ?? ''
const hostsNow = Date.now
Date.now = () => {
  const offsetMs = Number(readFileSync(file, 'utf8'))
  return hostsNow() + offsetMs
}
