/** Another class of the name of one in `reloaded.ts`. */

import { Cacheable } from '@larder/core'

export class Reloaded {
  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<string> {
    return `other ${id}`
  }
}
