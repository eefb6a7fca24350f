import { nextTick } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import Monitor from './pages/Monitor.vue'

/** Each page has an address of its own; what is not opened is not loaded. */
export const router = createRouter({
  history: createWebHistory('/'),
  routes: [
    { path: '/', name: 'monitor', component: Monitor },
    { path: '/jobs', name: 'jobs', component: () => import('./pages/Jobs.vue') },
    { path: '/jobs/:id', name: 'job', component: () => import('./pages/JobDetail.vue'), props: true },
    { path: '/runs/:id', name: 'run', component: () => import('./pages/RunDetail.vue'), props: true },
    { path: '/new-job', name: 'new', component: () => import('./pages/JobForm.vue') },
    { path: '/jobs/:id/edit', name: 'edit', component: () => import('./pages/JobForm.vue'), props: true },
    { path: '/tasks', name: 'tasks', component: () => import('./pages/Tasks.vue') },
    { path: '/tasks/:id', name: 'task', component: () => import('./pages/TaskDetail.vue'), props: true },
    { path: '/new-task', name: 'new-task', component: () => import('./pages/TaskForm.vue') },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

router.afterEach(async (to, from) => {
  if (from.name === undefined || to.path === from.path) return
  await nextTick()
  document.querySelector<HTMLElement>('main')?.focus()
})
