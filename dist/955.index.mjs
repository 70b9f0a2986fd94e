export const id = 955;
export const ids = [955];
export const modules = {

/***/ 8955:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   run: () => (/* binding */ M)
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
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
function N(o,e,n){let a=o.filter(({environments:r})=>r.some(i=>i.toLowerCase()===e.toLowerCase())),u=r=>{let i=a.filter(t=>t.state===r);if(i.length!==0)return{kind:r,by:[...new Set(i.map(({user:t})=>t))],comment:i.map(({comment:t})=>t).filter(t=>t!=="").join("; ")}},d=n==="check"?["approved","rejected"]:["rejected","approved"];return u(d[0])??u(d[1])??{kind:"nobody"}}function O(o,e,n){let a=`${n.context.runUrl.split("/actions/")[0]}/settings/environments`;if(o.kind==="rejected")throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_10__.a({code:"ApprovalRefused",resource:e,cause:`${o.by.join(", ")} refused the environment ${e}${o.comment===""?"":`: ${o.comment}`}`},"rejected");if(o.kind==="nobody")throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_10__.a({code:"NotProtected",resource:e,cause:`Nobody approved the environment ${e} in this run: it has no required reviewers, so anything pushed would be deployed`,hint:`Add required reviewers to it (${a}) and run again; where that is meant, say allow-unprotected: true`})}async function M(o,e){let{context:n,logger:a,signal:u,summary:d}=e,{environment:r,mode:i}=o,t=o["model-package-arn"],h=o["lifecycle-stage"];e.output("model-package-arn",t);let b=o["github-token"];if(b===void 0)throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_10__.a({code:"InvalidInput",resource:"github-token",cause:"Input `github-token` is empty, so the approvals of this run cannot be read",hint:"Leave it out (it is github.token then), with `permissions: actions: read`"});e.mask(b);let{readApprovals:V}=await __webpack_require__.e(/* import() */ 19).then(__webpack_require__.bind(__webpack_require__, 1019)),L=await V(n,b),s=N(L,r,i==="check"?"check":"refusal"),c=s.kind==="nobody"?"":s.by.join(", "),v=s.kind==="nobody"?"":s.comment;if(e.output("reviewer",c),e.output("comment",v),e.output("protected",String(s.kind==="approved")),i==="record-refusal"){if(s.kind!=="rejected")return a.info(`Nobody refused the environment ${r} in this run; there is nothing to record.`),"none"}else s.kind==="nobody"&&o["allow-unprotected"]||O(s,r,e);let f=(0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_6__._)("approve-model",o,e).service(_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_6__.y),y=i==="check"?(await (0,_chunk_YPODRW3R_mjs__WEBPACK_IMPORTED_MODULE_4__.b)(f,t)).lifecycle:(0,_chunk_YPODRW3R_mjs__WEBPACK_IMPORTED_MODULE_4__.a)(await (0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_5__.b)(f,t)),l=v===""?"":` (${v})`;if(i==="record-refusal")return await (0,_chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__.m)(f,{arn:t,lifecycle:y},{stage:h,status:"Rejected",description:`Refused by ${c}${l} in ${n.runUrl}`,reviewer:c},_chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__.p,n,a,u),d.heading(`Refused by ${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.d)(c)}`),d.text(`${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e)(t)} is not deployed to ${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e)(r)}${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.d)(l)}.`),"rejected";if(s.kind==="nobody"?(a.warn(`Nobody approved the environment ${r}; allow-unprotected lets this run pass.`,"approve-model"),d.heading("\u26A0\uFE0F Not approved by anybody"),d.text(`The environment ${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e)(r)} has no required reviewers; ${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e)("allow-unprotected")} lets this run pass.`)):(a.info(`Approved by ${c}${l}.`),d.heading(`Approved by ${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.d)(c)}`),d.text(`${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e)(t)} for ${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.e)(r)}${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_9__.d)(l)}`)),y.stage===h&&y.status==="Approved")return"unchanged";let $=s.kind==="nobody"?"nobody, allow-unprotected":c;return await (0,_chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__.m)(f,{arn:t,lifecycle:y},{stage:h,status:"InProgress",description:`Approved by ${$}${l} in ${n.runUrl}, commit ${n.sha}`,reviewer:$},_chunk_O3IGMOYZ_mjs__WEBPACK_IMPORTED_MODULE_1__.p,n,a,u),""}


/***/ })

};
