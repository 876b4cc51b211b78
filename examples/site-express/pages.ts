/** Pages of products, the same for everybody: kept until a product is edited. */

import type { CacheManager } from '@larder/core'
import { httpCache } from '@larder/plugins/express'
import express, { type Request, Router } from 'express'

interface Product {
  readonly name: string
  readonly price: number
}

export function makePages(caches: CacheManager): Router {
  const products = new Map<string, Product>([['42', { name: 'Quince jam', price: 490 }]])
  let rendered = 0
  const router = Router()

  // One for reading and writing: an answer to PUT ends what is kept for its path.
  const idOf = ({ params }: Request): string => String(params['id'])
  const pages = httpCache<Request>({
    caches,
    ttl: '5m',
    tags: (request) => [`product:${idOf(request)}`],
  })

  router.get('/products/:id', pages, (request, response) => {
    rendered += 1
    const product = products.get(idOf(request))
    if (product === undefined) response.status(404)
    response.send(`<h1>${product?.name}</h1> costs ${product?.price}, rendered ${rendered}`)
  })
  router.put('/products/:id', pages, express.json(), (request, response) => {
    products.set(idOf(request), request.body as Product)
    response.sendStatus(204)
  })

  // The import that runs at night goes past these routes, and evicts by tag.
  router.post('/import', express.json(), (request, response, next) => {
    const { id, ...product } = request.body as Product & { readonly id: string }
    products.set(id, product)
    caches.evictTags([`product:${id}`]).then(() => response.sendStatus(204), next)
  })
  return router
}
