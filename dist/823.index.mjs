export const id = 823;
export const ids = [823];
export const modules = {

/***/ 2823:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   run: () => (/* binding */ _)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8995);
/* harmony import */ var _chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(386);
/* harmony import */ var _chunk_JJWDFYME_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(2529);
/* harmony import */ var _chunk_7M4PIPBI_mjs__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(4853);
/* harmony import */ var _chunk_YPODRW3R_mjs__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(4845);
/* harmony import */ var _chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(7732);
/* harmony import */ var _chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(610);
/* harmony import */ var _chunk_P55HG5KR_mjs__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(324);
/* harmony import */ var _chunk_SJ7NPCZ6_mjs__WEBPACK_IMPORTED_MODULE_8__ = __webpack_require__(9502);
/* harmony import */ var _chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__ = __webpack_require__(6713);
/* harmony import */ var _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_10__ = __webpack_require__(7641);
/* harmony import */ var _chunk_5PYZV6F2_mjs__WEBPACK_IMPORTED_MODULE_11__ = __webpack_require__(1003);
/* harmony import */ var _chunk_GM7YGHNE_mjs__WEBPACK_IMPORTED_MODULE_12__ = __webpack_require__(3691);
/* harmony import */ var _chunk_UHDII3PW_mjs__WEBPACK_IMPORTED_MODULE_13__ = __webpack_require__(8688);
/* harmony import */ var _chunk_G4UZJIJ7_mjs__WEBPACK_IMPORTED_MODULE_14__ = __webpack_require__(2639);
/* harmony import */ var _chunk_ZR4G6GZX_mjs__WEBPACK_IMPORTED_MODULE_15__ = __webpack_require__(6109);
/* harmony import */ var _chunk_YK3ZHELR_mjs__WEBPACK_IMPORTED_MODULE_16__ = __webpack_require__(4253);
/* harmony import */ var _chunk_OVG45GFN_mjs__WEBPACK_IMPORTED_MODULE_17__ = __webpack_require__(4803);
/* harmony import */ var _chunk_ZVROI37F_mjs__WEBPACK_IMPORTED_MODULE_18__ = __webpack_require__(2059);
/* harmony import */ var _chunk_6PWCLDCG_mjs__WEBPACK_IMPORTED_MODULE_19__ = __webpack_require__(5923);
/* harmony import */ var _chunk_TG76KETQ_mjs__WEBPACK_IMPORTED_MODULE_20__ = __webpack_require__(9988);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_21__ = __webpack_require__(3024);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_22__ = __webpack_require__(6760);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var w=200;function F(n){switch(n){case"":return"deployed";case"unchanged":return"nothing to do";case"superseded":return"superseded by a newer package";default:return"not finished"}}function j(n,e){let{request:s,plan:a,state:i,operations:y}=n;if(a===void 0)return;e.heading(`Stage ${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.d)(s.stage.name)}: ${F(n.status)}`),e.text(`${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e)(s.packageArn)} by the stack set ${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e)(n.set)}`),a.differences.length>0&&e.text(`Differed: ${a.differences.map(_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e).join(", ")}`);let p=(o,u)=>o.map(d=>[(0,_chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__.g)(d),u]),m=new Map([...p(a.created,"create"),...p(a.updated,"update"),...p(a.removed,"remove"),...p(a.unchanged,"unchanged")]),f=new Map((i?.instances??[]).map(o=>[(0,_chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__.g)(o),o])),c=[...m].slice(0,w).map(([o,u])=>{let[d="",g=""]=o.split("/"),t=f.get(o),r=t===void 0?i===void 0?"":"gone":(0,_chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__.f)(t)?"\u2705 current":`\u274C ${t.detailedStatus??t.status}`;return[d,g,u,r,(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e)(t?.stackId??"")]});e.table(["account","region","plan","now","stack"],c),m.size>w&&e.text(`${m.size-w} more instances are in the output instances.`),y.length>0&&e.text(`Operations: ${y.map(_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e).join(", ")}`)}function N(n,e){let s=e===void 0?node_path__WEBPACK_IMPORTED_MODULE_22__.join(node_path__WEBPACK_IMPORTED_MODULE_22__.dirname(process.argv[1]??""),"..","templates","endpoint.yml"):node_path__WEBPACK_IMPORTED_MODULE_22__.resolve(n,e),a=e??"templates/endpoint.yml";try{return{templateFile:a,templateBody:(0,node_fs__WEBPACK_IMPORTED_MODULE_21__.readFileSync)(s,"utf8")}}catch(i){throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_10__.a({code:"InvalidTemplate",resource:a,cause:`The template ${a} cannot be read (${i.code??i.message})`,hint:"Check the input template, and that the job checks the repository out"})}}async function _(n,e){let{context:s,clock:a,logger:i,signal:y}=e,p=n["stage-file"],m=await (0,_chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__.n)(s.workspace,p),f={project:{name:n["project-name"],id:n["project-id"]},stage:m,stageFile:p,...N(s.workspace,n.template),packageArn:n["model-package-arn"],maxRemovals:n["max-removals"],rollback:n.rollback,reviewer:n.reviewer,deadline:a.now()+n["timeout-minutes"]*6e4};e.output("model-package-arn",f.packageArn);let c=[],o,u,d="",g="failed";try{return g=await (0,_chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__.q)(f,{aws:(0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_6__._)("deploy-stack-set",n,e),context:s,clock:a,logger:i,signal:y,running:t=>e.operation(t),report:{stackSet(t,r){d=t,e.output("stack-set-name",t),e.output("endpoint-name",r)},plan(t){o=t;let{created:r,updated:q,removed:D,unchanged:R,differences:E}=t;e.output("plan",JSON.stringify({created:r,updated:q,removed:D,unchanged:R,differences:E}))},operation(t){c.includes(t)||(c.push(t),e.output("operation-ids",JSON.stringify(c)))},state(t){u=t,e.output("instances",JSON.stringify(t.instances.map(r=>({account:r.account,region:r.region,status:(0,_chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__.f)(r)?"CURRENT":r.detailedStatus??r.status,stack:r.stackId??""}))))}}}),g}finally{j({request:f,set:d,status:g,plan:o,state:u,operations:c},e.summary)}}


/***/ })

};
