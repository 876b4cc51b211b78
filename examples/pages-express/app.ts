/** Pages of products that anybody may see, and of users that nobody else may see. */

import type { CacheManager } from '@larder/core'
import { httpCache } from '@larder/plugins/express'
import express, { type Express, type Request } from 'express'

interface Product {
  readonly name: string
  readonly price: number
}

export function makeApp(caches: CacheManager): Express {
  const products = new Map<string, Product>([['42', { name: 'Quince jam', price: 490 }]])
  let rendered = 0
  const app = express()

  // One for reading and writing: an answer to PUT ends what is kept for its path.
  const idOf = ({ params }: Request): string => String(params['id'])
  const pages = httpCache<Request>({
    caches,
    ttl: '5m',
    tags: (request) => [`product:${idOf(request)}`],
  })

  app.get('/products/:id', pages, (request, response) => {
    rendered += 1
    const product = products.get(idOf(request))
    if (product === undefined) response.status(404)
    response.send(`<h1>${product?.name}</h1> costs ${product?.price}, rendered ${rendered}`)
  })
  app.put('/products/:id', pages, express.json(), (request, response) => {
    products.set(idOf(request), request.body as Product)
    response.sendStatus(204)
  })

  // The import that runs at night goes past these routes, and evicts by tag.
  app.post('/import', express.json(), (request, response, next) => {
    const { id, ...product } = request.body as Product & { readonly id: string }
    products.set(id, product)
    caches.evictTags([`product:${id}`]).then(() => response.sendStatus(204), next)
  })

  app.get('/me', httpCache({ caches, ttl: '5m' }), (_, response) => {
    rendered += 1
    response.set('Cache-Control', 'private').send(`your page, rendered ${rendered}`)
  })
  return app
}
